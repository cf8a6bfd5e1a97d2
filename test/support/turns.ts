import { readFileSync } from 'node:fs';

/**
 * Milliseconds of processor time that this thread has had: they stand still while other programs, or the pool, have the processor. Linux
 * brings /proc's nanoseconds up to date when the thread gives the processor away, at the timer's tick, or when somebody asks for the
 * process's usage: asking first makes the number exact to the microseconds of the calls. Node 20 has no process.threadCpuUsage.
 */
export function threadMs(): number {
  process.cpuUsage();
  return Number(readFileSync('/proc/thread-self/schedstat', 'latin1').split(' ', 1)[0]) / 1e6;
}

let isExact: boolean | undefined;

/** Whether `threadMs` counts here, in steps below a millisecond. */
export function canMeasureTurns(): boolean {
  isExact ??= [1, 2, 3, 4, 5].some(() => {
    const step = longestStep(20);
    return step > 0 && step < 1;
  });
  return isExact;
}

/** The longest step of `threadMs` while this thread computes for so many milliseconds; 0 where there is no such clock. */
function longestStep(milliseconds: number): number {
  try {
    let longest = 0;
    let last = threadMs();
    for (const end = performance.now() + milliseconds; performance.now() < end;) {
      const now = threadMs();
      longest = Math.max(longest, now - last);
      last = now;
    }
    return longest;
  } catch {
    return 0;
  }
}

/** Runs `work` on this thread and measures the turns of its event loop meanwhile: how many there were, and the longest in `threadMs`. */
export async function measureTurns(work: () => Promise<unknown>): Promise<{ readonly turns: number; readonly longest: number }> {
  let [last, longest, turns, isDone] = [threadMs(), 0, 0, false];
  const turn = (): void => {
    const now = threadMs();
    longest = Math.max(longest, now - last);
    last = now;
    turns++;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  await work().finally(() => (isDone = true));
  turn();
  return { turns, longest };
}
