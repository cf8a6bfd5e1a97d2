import { randomBytes } from 'node:crypto';
import { existsSync, renameSync, rmSync } from 'node:fs';
import { mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { atExit } from '../../at-exit.js';
import { quotePath } from '../../checkpoint/describe.js';
import { exists } from '../../checkpoint/exists.js';
import { ioError } from '../../checkpoint/files.js';

// A folder that is there whole or not at all. What is being written, replaced or removed has a name that begins with a dot:
//   .NAME.writing-xxx   not complete                      → removed by `sweepFolder`
//   .NAME.old-xxx       complete, being replaced          → gets its name back if NAME is missing
//   .NAME.removed-xxx   to be removed                     → removed
const kUnfinished = /^\.(.+)\.(writing|old|removed)-[0-9a-f]{12}$/;

const suffix = (): string => randomBytes(6).toString('hex');

/**
 * Makes a folder: `write` fills a temporary one beside it, its files are flushed, and it takes the name in one step. An older folder of the
 * name is there until then, and again if anything fails.
 *
 * Errors: IO (disk full, no permission), and what `write` throws; nothing is left behind.
 */
export async function replaceFolder(folder: string, write: (temporary: string) => Promise<void>): Promise<void> {
  const [parent, name] = [path.dirname(folder), path.basename(folder)];
  const temporary = path.join(parent, `.${name}.writing-${suffix()}`);
  const old = path.join(parent, `.${name}.old-${suffix()}`);
  const done = atExit(() => {
    dropNow(temporary);
    if (existsSync(old) && !existsSync(folder)) renameSync(old, folder);
    else dropNow(old);
  });
  try {
    await mkdir(parent, { recursive: true });
    await mkdir(temporary);
    await write(temporary);
    await flushTree(temporary);
    const replaces = await exists(folder);
    if (replaces) await rename(folder, old);
    await rename(temporary, folder);
    await flush(parent);
    if (replaces) await rm(old, { recursive: true, force: true });
  } catch (error) {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    await sweepFolder(parent).catch(() => undefined);
    throw ioError(`write ${quotePath(folder)}`, error);
  } finally {
    done();
  }
}

/** Removes a folder that a call of this process may just be giving its final name to: it has lost its name before its first file is gone. */
function dropNow(temporary: string): void {
  const removed = temporary.replace(/\.(?:writing|old)-(?=\w+$)/, '.removed-');
  if (!existsSync(temporary)) return;
  renameSync(temporary, removed);
  rmSync(removed, { recursive: true, force: true, maxRetries: 3 });
}

/**
 * Writes files into a folder: a new folder as `replaceFolder` makes it; in one that is there, which may hold more, each file takes the place of
 * an older one in one step, after all of them are on the disk.
 *
 * Errors: IO, and what `write` throws.
 */
export async function fillFolder(folder: string, write: (temporary: string) => Promise<void>): Promise<void> {
  if (!(await exists(folder))) return replaceFolder(folder, write);
  const temporary = path.join(folder, `.files.writing-${suffix()}`);
  const done = atExit(() => dropNow(temporary));
  try {
    await mkdir(temporary);
    await write(temporary);
    await flushTree(temporary);
    await moveInto(temporary, folder);
    await flush(folder);
  } catch (error) {
    throw ioError(`write ${quotePath(folder)}`, error);
  } finally {
    await rm(temporary, { recursive: true, force: true }).catch(() => undefined);
    done();
  }
}

async function moveInto(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const entry of await readdir(from, { withFileTypes: true })) {
    const [source, target] = [path.join(from, entry.name), path.join(to, entry.name)];
    if (entry.isDirectory()) await moveInto(source, target);
    else await rename(source, target);
  }
}

/** Removes a folder: its name is gone at once, whatever happens while its files are removed. Errors: IO. */
export async function removeFolder(folder: string): Promise<void> {
  const removed = path.join(path.dirname(folder), `.${path.basename(folder)}.removed-${suffix()}`);
  try {
    await rename(folder, removed);
    await rm(removed, { recursive: true, force: true });
  } catch (error) {
    throw ioError(`remove ${quotePath(folder)}`, error);
  }
}

/** Clears up after a process that was killed while it wrote or removed folders here. Nobody else may be writing. Errors: IO. */
export async function sweepFolder(parent: string): Promise<void> {
  try {
    for (const name of await readdir(parent)) {
      const [, original, state] = kUnfinished.exec(name) ?? [];
      if (original === undefined) continue;
      const target = path.join(parent, original);
      if (state === 'old' && !(await exists(target))) await rename(path.join(parent, name), target);
      else await rm(path.join(parent, name), { recursive: true, force: true });
    }
  } catch (error) {
    throw ioError(`clear up ${quotePath(parent)}`, error);
  }
}

/** Flushes every file of a folder and the folders themselves. */
async function flushTree(folder: string): Promise<void> {
  for (const entry of await readdir(folder, { withFileTypes: true })) {
    const name = path.join(folder, entry.name);
    if (entry.isDirectory()) await flushTree(name);
    else await flush(name);
  }
  await flush(folder);
}

async function flush(name: string): Promise<void> {
  const handle = await open(name, 'r');
  try {
    await handle.sync();
  } catch (error) {
    // Windows does not flush what was opened for reading, nor folders.
    if (process.platform !== 'win32') throw error;
  } finally {
    await handle.close();
  }
}
