import { link, open, readFile, rename, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { quotePath } from '../../checkpoint/describe.js';
import { ioError, isMissing } from '../../checkpoint/files.js';
import { unexpected } from '../../expected.js';
import { isCodedError } from '../../realms.js';

const kLockFile = '.training.lock';

interface Holder {
  readonly host: string;
  readonly pid: number;
  /** When the process began, where the system says it: a later process may have the same id. */
  readonly started: string;
}

/**
 * Lets one trainer write to a directory; returns what lets the next one. A lock of a process that is gone is taken over.
 *
 * Errors: LOCKED while another trainer holds it; IO (read-only, no permission).
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const file = path.join(directory, kLockFile);
  const own = `${file}-${randomBytes(6).toString('hex')}`;
  try {
    const handle = await open(own, 'wx');
    try {
      await handle.writeFile(JSON.stringify({ host: hostname(), pid: process.pid, started: await startOf(process.pid) } satisfies Holder));
    } finally {
      await handle.close();
    }
    // A link fails where the name exists, and the file has its contents from the first moment.
    while (!(await tryLink(own, file))) await removeStale(file, directory);
  } catch (error) {
    throw ioError(`lock ${quotePath(directory)}`, error);
  } finally {
    await unlink(own).catch(() => undefined);
  }
  return async () => {
    await unlink(file).catch(() => undefined);
  };
}

async function tryLink(own: string, file: string): Promise<boolean> {
  try {
    await link(own, file);
    return true;
  } catch (error) {
    if (isCodedError(error) && error.code === 'EEXIST') return false;
    throw error;
  }
}

/** Removes a lock whose process is gone. Errors: LOCKED. */
async function removeStale(file: string, directory: string): Promise<void> {
  let text: string;
  try {
    text = await readFile(file, 'utf8');
  } catch (error) {
    if (isMissing(error)) return;
    throw error;
  }
  const holder = parseHolder(text);
  if (holder === undefined || (await lives(holder))) {
    const who = holder === undefined ? 'a trainer' : `process ${holder.pid} of ${holder.host}`;
    throw unexpected('LOCKED', `no other trainer in ${quotePath(directory)}`, who, {
      hint: `Wait for it, or choose another outputDir. If nothing trains there, remove ${quotePath(file)}.`,
    });
  }
  // Whoever renames it first removes it. What was renamed may by now be the lock of another process that was faster: it is put back.
  const stale = `${file}-${randomBytes(6).toString('hex')}`;
  await rename(file, stale).catch(() => undefined);
  if ((await readFile(stale, 'utf8').catch(() => text)) !== text) await link(stale, file).catch(() => undefined);
  await unlink(stale).catch(() => undefined);
}

function parseHolder(text: string): Holder | undefined {
  try {
    const { host, pid, started } = JSON.parse(text) as Partial<Holder>;
    if (typeof host === 'string' && typeof pid === 'number' && typeof started === 'string') return { host, pid, started };
  } catch {
    // Not ours.
  }
  return undefined;
}

async function lives({ host, pid, started }: Holder): Promise<boolean> {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (isCodedError(error) && error.code === 'ESRCH') return false;
  }
  const now = await startOf(pid);
  return now === '' || started === '' || now === started;
}

/** When a process began, in clock ticks since the system did (/proc/PID/stat, field 22); empty where there is no /proc. */
async function startOf(pid: number): Promise<string> {
  try {
    const text = await readFile(`/proc/${pid}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
