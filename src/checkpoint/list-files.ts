import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';

const kMostFiles = 1000;
const kDepth = 2;

/** The files of a directory by relative name with their sizes in bytes, links followed: two folders deep, 1000 files at most. */
export async function listFiles(root: string): Promise<{ name: string; bytes: number }[]> {
  const files: { name: string; bytes: number }[] = [];
  const visit = async (folder: string, depth: number): Promise<void> => {
    const entries = await readdir(path.join(root, folder), { withFileTypes: true }).catch(() => []);
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (files.length >= kMostFiles) return;
      const name = path.join(folder, entry.name);
      if (entry.isDirectory()) {
        if (depth < kDepth) await visit(name, depth + 1);
        continue;
      }
      const stats = await stat(path.join(root, name)).catch(() => undefined);
      if (stats?.isFile()) files.push({ name, bytes: stats.size });
    }
  };
  await visit('', 0);
  return files;
}
