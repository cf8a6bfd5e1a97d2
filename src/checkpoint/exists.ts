import { access, stat } from 'node:fs/promises';

/** Whether there is a file or directory of the name, links followed. */
export async function exists(name: string): Promise<boolean> {
  return access(name).then(
    () => true,
    () => false,
  );
}

/** Whether there is a directory of the name, links followed. */
export async function isDirectory(name: string): Promise<boolean> {
  return stat(name).then(
    (found) => found.isDirectory(),
    () => false,
  );
}
