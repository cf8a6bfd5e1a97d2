import { flag, integer, readOptions } from '../../options.js';
import { countRuns, countShared, type References, splitSpaces, textPairs } from './texts.js';

/** Options of `chrf`. */
export interface ChrfOptions {
  /** Longest runs of words that count beside characters: 2 is chrF++. Default: 0. */
  readonly wordOrder?: number | undefined;
  /** Compares in lower case. Default: false. */
  readonly lowercase?: boolean | undefined;
}

const kCharacterOrder = 6;
const kMostWordOrder = 6;
/** How much more recall counts than precision, squared. */
const kFactor = 4;
const SCHEMA = { wordOrder: integer(0, kMostWordOrder), lowercase: flag };
const kPunctuation = new Set('!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~');

type Counts = ReadonlyMap<string, number>;
/** [orders, 3]: runs of the text, of the reference, and those in both. */
type Statistics = number[];

/**
 * chrF of a corpus (Popović 2015), and with `wordOrder: 2` chrF++, as sacrebleu 2.6 computes them: runs of one to six characters without white
 * space, beta 2; 0 to 100. Of several references the nearest counts.
 *
 * Errors: INVALID_ARG, INVALID_OPTION.
 *
 * @example
 * chrf(['Wo ist der Bahnhof?'], ['Wo ist der Bahnhof?']); // 100
 */
export function chrf(hypotheses: readonly string[], references: References, options?: ChrfOptions): number {
  const { wordOrder = 0, lowercase = false } = readOptions('chrf', options, SCHEMA);
  const sums: Statistics = new Array<number>(3 * (kCharacterOrder + wordOrder)).fill(0);
  for (const pair of textPairs('chrf', hypotheses, references)) {
    const own = runsOf(pair.hypothesis, wordOrder, lowercase);
    let best: { readonly score: number; readonly statistics: Statistics } | undefined;
    for (const reference of pair.references) {
      const statistics = compare(own, runsOf(reference, wordOrder, lowercase));
      const score = scoreOf(statistics);
      if (best === undefined || score > best.score) best = { score, statistics };
    }
    best?.statistics.forEach((count, i) => (sums[i]! += count));
  }
  return scoreOf(sums);
}

function runsOf(text: string, wordOrder: number, lowercase: boolean): readonly Counts[] {
  const line = lowercase ? text.toLowerCase() : text;
  const spaced = splitSpaces(line);
  const characters = Array.from(spaced.join(''));
  const words = spaced.flatMap(withoutPunctuation);
  return [
    ...Array.from({ length: kCharacterOrder }, (_, n) => countRuns(characters, n + 1)),
    ...Array.from({ length: wordOrder }, (_, n) => countRuns(words, n + 1)),
  ];
}

/** A word and the mark at its end, or else at its beginning. */
function withoutPunctuation(word: string): readonly string[] {
  const characters = Array.from(word);
  if (characters.length === 1) return [word];
  const [first, last] = [characters[0] as string, characters.at(-1) as string];
  if (kPunctuation.has(last)) return [word.slice(0, -1), last];
  return kPunctuation.has(first) ? [first, word.slice(1)] : [word];
}

function compare(own: readonly Counts[], others: readonly Counts[]): Statistics {
  return own.flatMap((counts, i) => {
    const other = others[i] as Counts;
    return [other.size === 0 ? 0 : total(counts), total(other), countShared(counts, other)];
  });
}

function total(counts: Counts): number {
  let sum = 0;
  for (const count of counts.values()) sum += count;
  return sum;
}

function scoreOf(statistics: Statistics): number {
  let [precision, recall, orders] = [0, 0, 0];
  for (let i = 0; i < statistics.length; i += 3) {
    const [own, other, shared] = statistics.slice(i, i + 3) as [number, number, number];
    if (own === 0 || other === 0) continue;
    precision += shared / own;
    recall += shared / other;
    orders++;
  }
  if (precision + recall === 0) return 0;
  precision /= orders;
  recall /= orders;
  return (100 * ((1 + kFactor) * precision * recall)) / (kFactor * precision + recall);
}
