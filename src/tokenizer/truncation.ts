import { BerthaError } from '../errors.js';

export type TruncationStrategy = 'longest_first' | 'only_first' | 'only_second';
export type Side = 'left' | 'right';

/** A window of a text's tokens: [start, end). */
export type Window = readonly [start: number, end: number];

/**
 * How many tokens of each text stay when both together may have `room`. longest_first shortens the longer text to the length of the
 * shorter, then both alike, an odd token going to the longer.
 *
 * Errors: MAX_LENGTH if only_first or only_second would leave nothing of its text.
 */
export function keptLengths(first: number, second: number | undefined, room: number, strategy: TruncationStrategy): [number, number] {
  const total = first + (second ?? 0);
  if (room === 0) return [0, 0];
  if (total <= room) return [first, second ?? 0];
  if (strategy === 'longest_first') return second === undefined ? [room, 0] : longestFirst(first, second, room);
  const target = strategy === 'only_first' ? first : (second as number);
  const left = target - (total - room);
  if (left <= 0) {
    const which = strategy === 'only_first' ? 'first' : 'second';
    throw new BerthaError(
      'MAX_LENGTH',
      `Expected a maxLength that leaves tokens of the ${which} text but the other text alone takes all ${room} that are not special tokens.`,
    );
  }
  return strategy === 'only_first' ? [left, second ?? 0] : [first, left];
}

function longestFirst(first: number, second: number, room: number): [number, number] {
  let shorter = Math.min(first, second);
  let longer = shorter > room ? shorter : Math.max(shorter, room - shorter);
  if (shorter + longer > room) {
    shorter = Math.floor(room / 2);
    longer = shorter + (room % 2);
  }
  return first > second ? [longer, shorter] : [shorter, longer];
}

/**
 * The windows of `kept` tokens that cover `count` tokens, neighbours sharing `stride`; the first is the one that stays, the others the
 * overflow. From the right end backwards when the left side is cut.
 */
export function windows(count: number, kept: number, stride: number, side: Side): Window[] {
  if (kept >= count || kept === 0) return [[0, Math.min(kept, count)]];
  const step = kept - stride;
  const result: Window[] = [];
  if (side === 'right') {
    for (let start = 0; ; start += step) {
      const end = Math.min(start + kept, count);
      result.push([start, end]);
      if (end === count) return result;
    }
  }
  for (let end = count; ; end -= step) {
    const start = Math.max(0, end - kept);
    result.push([start, end]);
    if (start === 0) return result;
  }
}
