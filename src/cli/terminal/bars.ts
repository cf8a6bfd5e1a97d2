import type { SingleBar } from 'cli-progress';

/** The bars that are on the terminal. */
const running = new Set<SingleBar>();

/** Remembers a bar, so that it is ended whatever happens. */
export function addBar(bar: SingleBar): void {
  running.add(bar);
}

/** Ends a bar: clears its line, and gives the cursor back. */
export function stopBar(bar: SingleBar): void {
  if (running.delete(bar)) bar.stop();
}

/** Ends every bar that is still there; for the end of the process, however it comes. */
export function stopBars(): void {
  for (const bar of running) stopBar(bar);
}
