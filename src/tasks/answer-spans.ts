import type { Encoding } from '../tokenizer/index.js';

/** A run of tokens, first to last, in one window. */
export interface TokenSpan {
  readonly first: number;
  readonly last: number;
  readonly score: number;
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

/** The `count` likeliest spans of at most `longest` tokens, the best first; of equal ones the earlier first. */
export function bestSpans({ start, end }: SpanProbabilities, longest: number, count: number): TokenSpan[] {
  const best: TokenSpan[] = [];
  for (let first = 0; first < start.length; first++) {
    if (start[first] === 0) continue;
    for (let last = first; last < Math.min(end.length, first + longest); last++) {
      const score = start[first]! * end[last]!;
      if (score === 0 || (best.length === count && score <= best.at(-1)!.score)) continue;
      const place = best.findIndex((span) => span.score < score);
      best.splice(place < 0 ? best.length : place, 0, { first, last, score });
      if (best.length > count) best.pop();
    }
  }
  return best;
}

/** Where a span is in the context, in UTF-16 units; with `alignToWords` widened to whole words, as far as the window shows them. */
export function spanBounds(window: Encoding, { first, last }: TokenSpan, alignToWords: boolean): { start: number; end: number } {
  const offsets = window.offsets!;
  if (!alignToWords) return { start: offsets[2 * first]!, end: offsets[2 * last + 1]! };
  const inWord = (token: number, other: number) =>
    window.sequenceIds[other] === window.sequenceIds[token] && window.wordIds[other] === window.wordIds[token];
  let from = first;
  while (from > 0 && inWord(first, from - 1)) from--;
  let to = last;
  while (to + 1 < window.length && inWord(last, to + 1)) to++;
  return { start: offsets[2 * from]!, end: offsets[2 * to + 1]! };
}
