import { readFileSync } from 'node:fs';

/** Milliseconds of processor time that this thread has had, as the system counts them: to about a tick. Elsewhere than on Linux, time that has passed. */
function processorTime(): number {
  try {
    return Number(readFileSync(`/proc/self/task/${process.pid}/schedstat`, 'latin1').split(' ')[0]) / 1e6;
  } catch {
    return performance.now();
  }
}

/**
 * Runs `call` on the main thread and measures the turns of its event loop meanwhile: how many there were, and the longest in
 * milliseconds of processor time, so that other processes of the machine do not count.
 */
export async function measureTurns(call: () => Promise<unknown>): Promise<{ readonly turns: number; readonly longest: number }> {
  let [last, longest, turns, isDone] = [processorTime(), 0, 0, false];
  const turn = (): void => {
    const now = processorTime();
    longest = Math.max(longest, now - last);
    last = now;
    turns++;
    if (!isDone) setImmediate(turn);
  };
  setImmediate(turn);
  await call();
  isDone = true;
  return { turns, longest };
}

/**
 * The steps, in milliseconds, in which the system counts the processor time of a thread that goes on without a pause: 1 to 10 by its timer.
 * A measured turn may be longer than it was by one of them.
 */
export function processorTimeStep(): number {
  const end = performance.now() + 100;
  let last = processorTime();
  let longest = 0;
  while (performance.now() < end) {
    const now = processorTime();
    longest = Math.max(longest, now - last);
    last = now;
  }
  return longest;
}
