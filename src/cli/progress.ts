import { Presets, SingleBar } from 'cli-progress';
import type { TextSource } from './input.js';

/** Shows on standard error how far a source is read, where a person may be watching and the total is known. */
export function showProgress(source: TextSource): { update(): void; stop(): void } {
  const { total, unit } = source;
  // Small inputs are done before a bar could be read.
  const isLong = total !== undefined && total > (unit === 'bytes' ? 1 << 16 : 256);
  if (!isLong || !process.stderr.isTTY) return { update: () => undefined, stop: () => undefined };
  const bar = new SingleBar(
    { format: `embedding {bar} {percentage}% | {eta_formatted} left`, stream: process.stderr, hideCursor: true, clearOnComplete: true },
    Presets.shades_classic,
  );
  bar.start(total, 0);
  return { update: () => bar.update(source.done()), stop: () => bar.stop() };
}
