import { flag, readOptions } from '../../options.js';
import { countRuns, type References, splitSpaces, type TextPair, textPairs } from './texts.js';

/** Options of `bleu` and `sentenceBleu`. */
export interface BleuOptions {
  /** Compares in lower case. Default: false. */
  readonly lowercase?: boolean | undefined;
}

/** How near texts are to their references. */
export interface BleuScore {
  /** 0 to 100. */
  readonly score: number;
  /** [4]: of the runs of one to four words, how many per cent are in a reference. */
  readonly precisions: readonly number[];
  /** What `score` was multiplied by because the texts are too short; 1 where they are not. */
  readonly brevityPenalty: number;
  /** Words of the texts, and of the references nearest to them in length. */
  readonly length: number;
  readonly referenceLength: number;
  /** [4]: runs that were found, and all runs. */
  readonly counts: readonly number[];
  readonly totals: readonly number[];
}

const kOrder = 4;
const SCHEMA = { lowercase: flag };
/** mteval-v13a's rules for words, in their order. */
const kRules: readonly (readonly [RegExp, string])[] = [
  [/([{-~[-` -&(-+:-@/])/g, ' $1 '],
  [/([^0-9])([.,])/g, '$1 $2 '],
  [/([.,])([^0-9])/g, ' $1 $2'],
  [/([0-9])(-)/g, '$1 $2 '],
];
const kEntities: readonly (readonly [string, string])[] = [
  ['&quot;', '"'],
  ['&amp;', '&'],
  ['&lt;', '<'],
  ['&gt;', '>'],
];

/**
 * BLEU of a corpus (Papineni et al. 2002) as sacrebleu 2.6 computes it: words of `13a`, runs of up to four, smoothing `exp`. Chinese and Japanese need
 * words of their own, which these rules do not make.
 *
 * Errors: INVALID_ARG, INVALID_OPTION.
 *
 * @example
 * bleu(['Wo ist der Bahnhof?'], ['Wo ist der Bahnhof?']).score; // 100
 */
export function bleu(hypotheses: readonly string[], references: References, options?: BleuOptions): BleuScore {
  const { lowercase = false } = readOptions('bleu', options, SCHEMA);
  return scoreOf(textPairs('bleu', hypotheses, references), lowercase, false);
}

/**
 * BLEU of one text: longer runs than it has words do not count against it.
 *
 * Errors: as `bleu`.
 */
export function sentenceBleu(hypothesis: string, references: string | readonly string[], options?: BleuOptions): BleuScore {
  const { lowercase = false } = readOptions('sentenceBleu', options, SCHEMA);
  return scoreOf(textPairs('sentenceBleu', [hypothesis], [references]), lowercase, true);
}

function scoreOf(pairs: readonly TextPair[], lowercase: boolean, isEffective: boolean): BleuScore {
  const counts = new Array<number>(kOrder).fill(0);
  const totals = new Array<number>(kOrder).fill(0);
  let [length, referenceLength] = [0, 0];
  for (const { hypothesis, references } of pairs) {
    const words = wordsOf(hypothesis, lowercase);
    const others = references.map((reference) => wordsOf(reference, lowercase));
    length += words.length;
    referenceLength += nearest(
      words.length,
      others.map((other) => other.length),
    );
    for (let n = 1; n <= kOrder; n++) {
      const known = others.map((other) => countRuns(other, n));
      for (const [run, count] of countRuns(words, n)) {
        counts[n - 1]! += Math.min(count, Math.max(...known.map((each) => each.get(run) ?? 0)));
        totals[n - 1]! += count;
      }
    }
  }
  let brevityPenalty = 1;
  if (length < referenceLength) brevityPenalty = length > 0 ? Math.exp(1 - referenceLength / length) : 0;
  const { precisions, order } = precisionsOf(counts, totals, isEffective);
  const isNothing = counts.every((count) => count === 0);
  const sum = precisions.slice(0, order).reduce((total, precision) => total + (precision === 0 ? -9999999999 : Math.log(precision)), 0);
  const score = isNothing ? 0 : brevityPenalty * Math.exp(sum / order);
  return { score, precisions, brevityPenalty, length, referenceLength, counts, totals };
}

function precisionsOf(
  counts: readonly number[],
  totals: readonly number[],
  isEffective: boolean,
): { readonly precisions: readonly number[]; readonly order: number } {
  const precisions = new Array<number>(kOrder).fill(0);
  let order = kOrder;
  let smoothing = 1;
  if (counts.every((count) => count === 0)) return { precisions, order };
  for (let n = 0; n < kOrder; n++) {
    const [count, total] = [counts[n]!, totals[n]!];
    if (total === 0) break;
    if (isEffective) order = n + 1;
    if (count === 0) smoothing *= 2;
    precisions[n] = count === 0 ? 100 / (smoothing * total) : (100 * count) / total;
  }
  return { precisions, order };
}

/** The length nearest to that of a text, of two the shorter. */
function nearest(length: number, lengths: readonly number[]): number {
  return lengths.reduce((best, each) => {
    const [near, other] = [Math.abs(each - length), Math.abs(best - length)];
    return near < other || (near === other && each < best) ? each : best;
  });
}

function wordsOf(text: string, lowercase: boolean): readonly string[] {
  let line = lowercase ? text.toLowerCase() : text;
  line = splitEnd(line).replaceAll('<skipped>', '').replaceAll('-\n', '').replaceAll('\n', ' ');
  for (const [entity, character] of kEntities) line = line.replaceAll(entity, character);
  line = ` ${line} `;
  for (const [rule, spaced] of kRules) line = line.replace(rule, spaced);
  return splitSpaces(line);
}

/** Without white space at the end: a hyphen before a line's end is one only within the text. */
function splitEnd(text: string): string {
  let end = text.length;
  while (end > 0 && splitSpaces(text[end - 1] as string).length === 0) end--;
  return text.slice(0, end);
}
