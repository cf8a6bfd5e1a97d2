import type { Encoding } from '../../tokenizer/index.js';

/** A slice of the context, in UTF-16 units. */
export interface Slice {
  readonly start: number;
  readonly end: number;
  readonly score: number;
}

/** Which slices are asked for. */
export interface SliceChoice {
  /** Most tokens of a slice, before it is widened. */
  readonly longest: number;
  readonly count: number;
  /** Widen slices to whole words. */
  readonly alignToWords: boolean;
  /** List a slice once, with the best score of the spans that widen to it; else once for each of those spans. */
  readonly distinct: boolean;
}

/** Probabilities of starting and ending an answer; zero outside the context. */
export interface SpanProbabilities {
  readonly start: Float64Array;
  readonly end: Float64Array;
  /** Probability that the window holds no answer: both point at [CLS]. */
  readonly none: number;
}

/** Softmax over the context's tokens and [CLS]. `logits` is [tokens, 2]. */
export function spanProbabilities({ sequenceIds, length }: Encoding, logits: Float32Array): SpanProbabilities {
  const probabilities = (column: number) => {
    const weights = new Float64Array(length);
    const isAllowed = (token: number) => token === 0 || sequenceIds[token] === 1;
    let peak = -Infinity;
    for (let i = 0; i < length; i++) if (isAllowed(i)) peak = Math.max(peak, logits[2 * i + column]!);
    let sum = 0;
    for (let i = 0; i < length; i++) if (isAllowed(i)) sum += weights[i] = Math.exp(logits[2 * i + column]! - peak);
    for (let i = 0; i < length; i++) weights[i]! /= sum;
    return weights;
  };
  const start = probabilities(0);
  const end = probabilities(1);
  const none = start[0]! * end[0]!;
  start[0] = end[0] = 0;
  return { start, end, none };
}

/** The likeliest slices of the context, the best first; of equal scores the earlier first. */
export function bestSlices(window: Encoding, { start, end }: SpanProbabilities, choice: SliceChoice): Slice[] {
  const { longest, count, alignToWords, distinct } = choice;
  const { starts, ends } = tokenBounds(window, alignToWords);
  const best: Slice[] = [];
  for (let first = 0; first < start.length; first++) {
    if (start[first] === 0) continue;
    for (let last = first; last < Math.min(end.length, first + longest); last++) {
      const score = start[first]! * end[last]!;
      if (score === 0 || (best.length === count && score <= best.at(-1)!.score)) continue;
      const slice = { start: starts[first]!, end: ends[last]!, score };
      const same = distinct ? best.findIndex((each) => each.start === slice.start && each.end === slice.end) : -1;
      if (same >= 0) {
        if (best[same]!.score >= score) continue;
        best.splice(same, 1);
      }
      const place = best.findIndex((each) => each.score < score);
      best.splice(place < 0 ? best.length : place, 0, slice);
      if (best.length > count) best.pop();
    }
  }
  return best;
}

/** Where a slice may begin and end that begins or ends with a token; with `alignToWords` its word, as far as the window shows it. */
function tokenBounds({ offsets, sequenceIds, wordIds, length }: Encoding, alignToWords: boolean): { starts: Int32Array; ends: Int32Array } {
  const starts = Int32Array.from({ length }, (_, token) => offsets![2 * token]!);
  const ends = Int32Array.from({ length }, (_, token) => offsets![2 * token + 1]!);
  if (alignToWords) {
    const continues = (token: number) => sequenceIds[token] === sequenceIds[token - 1] && wordIds[token] === wordIds[token - 1];
    for (let token = 1; token < length; token++) if (continues(token)) starts[token] = starts[token - 1]!;
    for (let token = length - 1; token > 0; token--) if (continues(token)) ends[token - 1] = ends[token]!;
  }
  return { starts, ends };
}
