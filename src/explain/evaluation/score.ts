import type { Value } from '../../models/index.js';
import type { ValueName } from '../engine/named-value.js';

/** A number of a value, and how much of it counts. */
export interface Term {
  /** The token whose row it is in; absent where a text has one row. */
  readonly token?: number;
  readonly column: number;
  readonly coefficient: number;
}

/** What is explained: Σ coefficient · number over a few numbers of a value, and a constant. */
export interface Score {
  readonly value: ValueName;
  readonly terms: readonly Term[];
  readonly constant?: number;
}

/** The positions that a score of the value selects, where its rows are selected ones. */
export function selectedOf({ terms }: Score, { rows }: Value): Int32Array | undefined {
  return rows === 'selected' ? Int32Array.from(new Set(terms.map(({ token = 0 }) => token))).sort() : undefined;
}

/** The score's coefficients in the shape of a text's own rows of the value. */
export function coefficientsOf(score: Score, value: Value, tokens: number): Float32Array {
  const row = rowFinder(score, value);
  const rows = value.rows === 'tokens' ? tokens : (selectedOf(score, value)?.length ?? 1);
  const coefficients = new Float32Array(rows * value.width);
  for (const term of score.terms) coefficients[row(term) * value.width + term.column]! += term.coefficient;
  return coefficients;
}

/** The score of a text by its own rows of the value. */
export function scoreOf(score: Score, value: Value, rows: Float32Array): number {
  const row = rowFinder(score, value);
  return score.terms.reduce((sum, term) => sum + term.coefficient * rows[row(term) * value.width + term.column]!, score.constant ?? 0);
}

/** The score of a text whose tokens were moved: `places` says where each is now; undefined where one of the score is gone. */
export function movedScore(score: Score, places: ReadonlyMap<number, number>): Score | undefined {
  if (score.terms.some(({ token }) => token !== undefined && !places.has(token))) return undefined;
  return {
    ...score,
    terms: score.terms.map((term) => (term.token === undefined ? term : { ...term, token: places.get(term.token)! })),
  };
}

function rowFinder(score: Score, value: Value): (term: Term) => number {
  if (value.rows === 'tokens') return ({ token = 0 }) => token;
  const selected = selectedOf(score, value);
  return selected === undefined ? () => 0 : ({ token = 0 }) => selected.indexOf(token);
}
