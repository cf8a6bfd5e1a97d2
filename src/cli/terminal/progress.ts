import { Presets, SingleBar } from 'cli-progress';
import { addBar, stopBar } from './bars.js';
import type { TextSource } from '../input.js';
import type { Item } from '../readers/item.js';

/** Inputs up to this total are done before a bar could be read. */
const kShortTotal = 1 << 12;

/** A bar on standard error, which a person may be watching; `format` is cli-progress's. */
export function startBar(format: string, total: number, start: number, payload: object = {}): SingleBar {
  const bar = new SingleBar({ format, stream: process.stderr, hideCursor: true, clearOnComplete: true }, Presets.shades_classic);
  bar.start(total, start, payload);
  addBar(bar);
  return bar;
}

/** Shows how much of a source a command has done, where a person may be watching and the total is known. */
export function showProgress(command: string, { total, measure }: TextSource): { add(block: readonly Item[]): void; stop(): void } {
  if (total === undefined || total <= kShortTotal || !process.stderr.isTTY) return { add: () => undefined, stop: () => undefined };
  const bar = startBar(`${command} {bar} {percentage}%, {eta_formatted} left`, total, 0);
  return { add: (block) => bar.increment(measure(block)), stop: () => stopBar(bar) };
}
