import { countRuns, countShared, type References, textPairs } from './texts.js';

/** Shares of words, or of runs of them, from 0 to 1. */
export interface RougeShares {
  /** Of what the text says. */
  readonly precision: number;
  /** Of what the reference says. */
  readonly recall: number;
  readonly f1: number;
}

/** Words, pairs of words and the longest common subsequence; each the mean over all texts. */
export interface RougeScores {
  readonly rouge1: RougeShares;
  readonly rouge2: RougeShares;
  readonly rougeL: RougeShares;
}

type Measure = (own: readonly string[], other: readonly string[]) => RougeShares;

/**
 * ROUGE-1, ROUGE-2 and ROUGE-L (Lin 2004) as the Python package rouge-score computes them without a stemmer: words are runs of a-z and 0-9 in lower case,
 * so that other scripts count nothing. Of several references that with the highest F1 counts.
 *
 * Errors: INVALID_ARG.
 *
 * @example
 * rouge(['the cat sat'], ['the cat sat down']).rougeL.recall; // 0.75
 */
export function rouge(hypotheses: readonly string[], references: References): RougeScores {
  const pairs = textPairs('rouge', hypotheses, references).map((pair) => ({
    own: wordsOf(pair.hypothesis),
    others: pair.references.map(wordsOf),
  }));
  const mean = (measure: Measure): RougeShares => {
    const best = pairs.map(({ own, others }) =>
      others.map((other) => measure(own, other)).reduce((high, each) => (each.f1 > high.f1 ? each : high)),
    );
    const of = (name: keyof RougeShares): number => best.reduce((sum, each) => sum + each[name], 0) / best.length;
    return { precision: of('precision'), recall: of('recall'), f1: of('f1') };
  };
  return { rouge1: mean(runs(1)), rouge2: mean(runs(2)), rougeL: mean(longest) };
}

function wordsOf(text: string): readonly string[] {
  return text.toLowerCase().match(/[a-z0-9]+/g) ?? [];
}

function runs(n: number): Measure {
  return (own, other) => {
    const count = (words: readonly string[]): number => Math.max(words.length - n + 1, 1);
    return shares(countShared(countRuns(own, n), countRuns(other, n)), count(own), count(other));
  };
}

const longest: Measure = (own, other) => {
  if (own.length === 0 || other.length === 0) return shares(0, 1, 1);
  let before = new Uint32Array(other.length + 1);
  for (const word of own) {
    const row = new Uint32Array(other.length + 1);
    other.forEach((each, i) => (row[i + 1] = word === each ? before[i]! + 1 : Math.max(before[i + 1]!, row[i]!)));
    before = row;
  }
  return shares(before[other.length]!, own.length, other.length);
};

function shares(shared: number, own: number, other: number): RougeShares {
  const [precision, recall] = [shared / own, shared / other];
  return { precision, recall, f1: precision + recall > 0 ? (2 * precision * recall) / (precision + recall) : 0 };
}
