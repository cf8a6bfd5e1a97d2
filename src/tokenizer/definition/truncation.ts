import { BerthaError } from '../../errors.js';

/** Which text of a pair is cut: the longer one token by token, or only one of them. */
export type TruncationStrategy = 'longest_first' | 'only_first' | 'only_second';
/** An end of a text. */
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

/** The window of `kept` tokens that stays of `count`. */
export function keptWindow(count: number, kept: number, side: Side): Window {
  return side === 'right' ? [0, Math.min(kept, count)] : [Math.max(0, count - kept), count];
}

/**
 * The windows of `kept` tokens that cover `count` tokens, neighbours sharing `stride`; the first is the one that stays, the others the
 * overflow. From the right end backwards when the left side is cut.
 */
export function* windows(count: number, kept: number, stride: number, side: Side): Generator<Window> {
  const step = kept - stride;
  const last = kept >= count || kept === 0 ? 0 : Math.ceil((count - kept) / step);
  for (let i = 0; i <= last; i++) {
    if (side === 'right') yield [i * step, Math.min(i * step + kept, count)];
    else yield [Math.max(0, count - i * step - kept), count - i * step];
  }
}
