import { atOnce } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import { flag, integer, readOptions } from '../../options.js';
import { kSlicePieces, sortedSlices } from '../../learn/text/sorted-slices.js';
import { makeAnalyzer, type AnalyzerOptions } from '../../learn/text/tokenize.js';
import { byCodePoint } from '../../metrics/lists.js';

/** Options of `groupKeywords`. */
export interface KeywordOptions {
  /** Words for each group. Default 8. */
  readonly top?: number | undefined;
  /** Take the square root of a word's share, so that frequent words count less. Default false. */
  readonly reduceFrequentWords?: boolean | undefined;
  /** Weigh words as BM25 does. Default false. */
  readonly bm25Weighting?: boolean | undefined;
  /** How documents become words, as for `CountVectorizer`; `tokenizer: segmentWords` for Chinese. Documents that are lists are words already. */
  readonly analyzer?: AnalyzerOptions | undefined;
}

/** A word and its weight in a group. */
export interface Keyword {
  readonly word: string;
  readonly weight: number;
}

const analyzerCheck = (value: unknown): AnalyzerOptions => value as AnalyzerOptions;
const schema = { top: integer(1, 1000), reduceFrequentWords: flag, bm25Weighting: flag, analyzer: analyzerCheck };

/**
 * The words that tell groups of documents apart, by c-TF-IDF as BERTopic computes it: the word's share of the group's words times
 * ln(1 + A / f), with f how often it is in all groups and A the mean number of words of a group, rounded down. Equal weights are sorted by code point.
 *
 * Errors: INVALID_ARG for lists of different lengths, INVALID_OPTION.
 *
 * @example
 * const keywords = groupKeywords(['a cold lunch', 'the lunch was late', 'a flat battery'], [0, 0, 1]);
 */
export function groupKeywords(
  documents: readonly (string | readonly string[])[],
  groups: ArrayLike<number>,
  options?: KeywordOptions,
): Keyword[][] {
  return atOnce(keywordSlices(documents, groups, options));
}

/** `groupKeywords` in slices. Errors: as there. */
export function* keywordSlices(
  documents: readonly (string | readonly string[])[],
  groups: ArrayLike<number>,
  options?: KeywordOptions,
): Generator<void, Keyword[][]> {
  const { top = 8, reduceFrequentWords = false, bm25Weighting = false, analyzer = {} } = readOptions('groupKeywords', options, schema);
  if (groups.length !== documents.length) {
    throw unexpected('INVALID_ARG', `a group for each of ${documents.length} documents of groupKeywords`, groups.length);
  }
  const wordsOf = makeAnalyzer(analyzer);
  const counts: Map<string, number>[] = [];
  const frequency = new Map<string, number>();
  const totals: number[] = [];
  for (const [i, document] of documents.entries()) {
    const group = groups[i]!;
    if (!Number.isInteger(group) || group < 0) throw unexpected('INVALID_ARG', `whole numbers from 0 for groups of groupKeywords`, group);
    while (counts.length <= group) {
      counts.push(new Map());
      totals.push(0);
    }
    for (const word of typeof document === 'string' ? wordsOf(document) : document) {
      counts[group]!.set(word, (counts[group]!.get(word) ?? 0) + 1);
      frequency.set(word, (frequency.get(word) ?? 0) + 1);
      totals[group]!++;
    }
    yield;
  }
  const average = Math.floor(totals.reduce((sum, total) => sum + total, 0) / Math.max(1, totals.length));
  const weigh = (f: number): number => (bm25Weighting ? Math.log(1 + (average - f + 0.5) / (f + 0.5)) : Math.log(average / f + 1));
  const rounded = ({ weight }: Keyword): number => Math.round(weight * 1e12);
  const keywords: Keyword[][] = [];
  for (const [group, words] of counts.entries()) {
    const weights: Keyword[] = [];
    for (const [word, count] of words) {
      const share = count / Math.max(1, totals[group]!);
      weights.push({ word, weight: (reduceFrequentWords ? Math.sqrt(share) : share) * weigh(frequency.get(word)!) });
      if (weights.length % kSlicePieces === 0) yield;
    }
    const sorted = yield* sortedSlices(weights, (a, b) => rounded(b) - rounded(a) || byCodePoint(a.word, b.word));
    keywords.push(sorted.slice(0, top).filter(({ weight }) => weight > 0));
  }
  return keywords;
}
