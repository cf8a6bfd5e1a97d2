import { Presets, SingleBar } from 'cli-progress';
import type { TextSource } from './input.js';

/** Inputs up to this total are done before a bar could be read. */
const kShortTotal = 1 << 12;

/** Shows on standard error how much of a source is done, where a person may be watching and the total is known. */
export function showProgress({ total, measure }: TextSource): { add(block: readonly string[]): void; stop(): void } {
  if (total === undefined || total <= kShortTotal || !process.stderr.isTTY) return { add: () => undefined, stop: () => undefined };
  const options = {
    format: 'embedding {bar} {percentage}%, {eta_formatted} left',
    stream: process.stderr,
    hideCursor: true,
    clearOnComplete: true,
  };
  const bar = new SingleBar(options, Presets.shades_classic);
  bar.start(total, 0);
  return { add: (block) => bar.increment(measure(block)), stop: () => bar.stop() };
}
