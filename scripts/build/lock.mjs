// One build at a time in a checkout. The lock is a file that names its holder; a holder that no longer lives has lost it.
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const pollMs = 100;

/** Runs `body` while holding the lock at `path`; `onWait(pid)` is called once when another process holds it. */
export async function withLock(path, body, { onWait = () => {}, limitMs = 30 * 60_000 } = {}) {
  const holder = `${process.pid} ${startTime(process.pid)}`;
  const deadline = Date.now() + limitMs;
  let told = false;
  mkdirSync(dirname(path), { recursive: true });
  while (!tryCreate(path, holder)) {
    const current = readOrEmpty(path);
    const pid = Number(current.split(' ')[0]);
    if (current !== '' && !isAlive(current)) {
      removeStale(path, current);
      continue;
    }
    if (Date.now() > deadline) {
      throw new Error(`Expected the build lock ${path} to become free but process ${pid} has held it for ${limitMs / 60_000} minutes.`);
    }
    if (!told) onWait(pid);
    told = true;
    await sleep(pollMs);
  }
  try {
    return await body();
  } finally {
    if (readOrEmpty(path) === holder) rmSync(path, { force: true });
  }
}

// A file that appears whole: written aside, then linked into place, which fails where the name is taken.
function tryCreate(path, holder) {
  const aside = `${path}.${process.pid}`;
  writeFileSync(aside, holder);
  try {
    linkSync(aside, path);
    return true;
  } catch (error) {
    if (error.code === 'EEXIST') return false;
    throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function removeStale(path, seen) {
  const aside = `${path}.stale.${process.pid}`;
  try {
    renameSync(path, aside);
    // Another waiter may have removed it first and taken the lock: then what was moved is a living holder's, and goes back.
    if (readOrEmpty(aside) !== seen) linkSync(aside, path);
  } catch (error) {
    if (error.code !== 'ENOENT' && error.code !== 'EEXIST') throw error;
  } finally {
    rmSync(aside, { force: true });
  }
}

function isAlive(holder) {
  const [pid, started] = holder.split(' ');
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    if (error.code === 'ESRCH') return false;
  }
  return startTime(pid) === started;
}

// Process ids are used again: the start time (Linux) tells two holders of one id apart.
function startTime(pid) {
  const stat = readOrEmpty(`/proc/${pid}/stat`);
  return stat === '' ? 'unknown' : (stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? 'unknown');
}

function readOrEmpty(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
