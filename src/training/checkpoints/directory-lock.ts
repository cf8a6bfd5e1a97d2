import { readlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { link, readdir, readFile, rename, unlink } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { randomBytes } from 'node:crypto';
import { atExit } from '../../at-exit.js';
import { quotePath } from '../../checkpoint/describe.js';
import { ioError, isMissing } from '../../checkpoint/files.js';
import { unexpected } from '../../expected.js';
import { isCodedError } from '../../realms.js';

const kLockFile = '.training.lock';
/** What stands in locks that could not be removed, as their directory had become read-only: nobody trains there any more. */
const abandoned = new Set<string>();

interface Holder {
  readonly host: string;
  readonly pid: number;
  /** PID/task/TID: a worker_thread that was terminated leaves a lock and a process that lives. Absent where there is no /proc. */
  readonly thread?: string;
  /** When the thread, or else the process, began, where the system says it: a later one may have the same id. */
  readonly started: string;
}

/**
 * Lets one trainer write to a directory; returns what lets the next one. A lock of a process or worker_thread that is gone is taken over.
 *
 * Errors: LOCKED while another trainer holds it; IO (read-only, no permission).
 */
export async function lockDirectory(directory: string): Promise<() => Promise<void>> {
  const file = path.join(directory, kLockFile);
  const id = randomBytes(6).toString('hex');
  const own = `${file}-${id}`;
  const text = JSON.stringify({ ...(await ownHolder()), id });
  try {
    // At one go: what ends between the file and its contents leaves a file that nobody can tell from one that is being written.
    writeFileSync(own, text, { flag: 'wx' });
    // A link fails where the name exists, and the file has its contents from the first moment.
    while (!(await tryLink(own, file))) await removeStale(file, directory);
  } catch (error) {
    throw ioError(`lock ${quotePath(directory)}`, error);
  } finally {
    await unlink(own).catch(() => undefined);
  }
  await removeUnfinished(directory);
  const done = atExit(() => unlinkSync(file));
  return async () => {
    // First: it might be the lock of another by then.
    done();
    await unlink(file).catch(() => void abandoned.add(text));
  };
}

/** Removes what a process or worker_thread that ended in the middle of locking left beside the lock. */
async function removeUnfinished(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => []);
  for (const name of names.filter((each) => each.startsWith(`${kLockFile}-`))) {
    const left = path.join(directory, name);
    const holder = parseHolder(await readFile(left, 'utf8').catch(() => ''));
    if (holder !== undefined && !(await lives(holder))) await unlink(left).catch(() => undefined);
  }
}

async function ownHolder(): Promise<Holder> {
  const thread = ownThread();
  const started = await startOf(thread ?? process.pid);
  return { host: hostname(), pid: process.pid, ...(thread === undefined ? {} : { thread }), started };
}

function ownThread(): string | undefined {
  try {
    // Not the asynchronous one, which asks on another thread.
    return readlinkSync('/proc/thread-self');
  } catch {
    return undefined;
  }
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
  if (!abandoned.delete(text) && (holder === undefined || (await lives(holder)))) {
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
    const { host, pid, thread, started } = JSON.parse(text) as Partial<Holder>;
    const isThread = typeof thread === 'string' && /^\d+\/task\/\d+$/.test(thread);
    if (typeof host === 'string' && typeof pid === 'number' && typeof started === 'string')
      return { host, pid, started, ...(isThread ? { thread } : {}) };
  } catch {
    // Not ours.
  }
  return undefined;
}

async function lives({ host, pid, thread, started }: Holder): Promise<boolean> {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    if (isCodedError(error) && error.code === 'ESRCH') return false;
  }
  const now = await startOf(thread ?? pid);
  // Of a process that can be seen, a thread that cannot is gone.
  if (now === '' && thread !== undefined && (await startOf(pid)) !== '') return false;
  return now === '' || started === '' || now === started;
}

/** When a process or thread began, in clock ticks since the system did (/proc/…/stat, field 22); empty where there is no /proc. */
async function startOf(id: number | string): Promise<string> {
  try {
    const text = await readFile(`/proc/${id}/stat`, 'utf8');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '';
  } catch {
    return '';
  }
}
