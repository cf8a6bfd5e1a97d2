import { open, readFile, stat, unlink, utimes } from 'node:fs/promises';
import { hostname } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { quotePath } from '../checkpoint/describe.js';
import { ioError } from '../checkpoint/files.js';

const kHeartbeatMs = 2000;
const kPollMs = 100;
/** A lock whose holder has not been heard of for so long counts as left behind. */
const kStaleMs = 15_000;

/**
 * Does `work` while no other process does, or returns as soon as `isDone`, then by the other's work. A lock left behind by a dead
 * process is broken. Two processes may in rare cases both believe to hold it: it saves doing work twice, and nothing else relies on it.
 *
 * Errors: IO, the signal's reason, those of `work`.
 */
export async function withLock(
  file: string,
  isDone: () => Promise<boolean>,
  work: () => Promise<void>,
  signal?: AbortSignal,
): Promise<void> {
  let watched: { readonly mtimeMs: number; readonly since: number } | undefined;
  while (!(await take(file))) {
    if (await isDone()) return;
    const mtimeMs = await stat(file).then(
      (stats) => stats.mtimeMs,
      () => 0,
    );
    // Clocks of two machines may differ: what counts is how long the time of the file stands still while this process watches.
    if (watched?.mtimeMs !== mtimeMs) watched = { mtimeMs, since: performance.now() };
    if (performance.now() - watched.since > kStaleMs || (await isHolderDead(file))) await unlink(file).catch(() => undefined);
    else await pause(signal);
  }
  const heartbeat = setInterval(() => void utimes(file, new Date(), new Date()).catch(() => undefined), kHeartbeatMs);
  heartbeat.unref();
  try {
    if (!(await isDone())) await work();
  } finally {
    clearInterval(heartbeat);
    await unlink(file).catch(() => undefined);
  }
}

async function take(file: string): Promise<boolean> {
  try {
    const handle = await open(file, 'wx');
    await handle.writeFile(`${process.pid} ${hostname()}`).finally(() => handle.close());
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false;
    throw ioError(`lock ${quotePath(file)}`, error);
  }
}

async function isHolderDead(file: string): Promise<boolean> {
  const [, pid, host] = /^(\d+) (.+)$/.exec(await readFile(file, 'utf8').catch(() => '')) ?? [];
  if (pid === undefined || host !== hostname()) return false;
  try {
    process.kill(Number(pid), 0);
    return false;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ESRCH';
  }
}

async function pause(signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  await sleep(kPollMs);
}
