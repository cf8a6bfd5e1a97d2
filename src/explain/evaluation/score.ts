import type { Value } from '../../models/index.js';
import { softmax } from '../../tasks/scoring/scores.js';
import type { ValueName } from '../engine/named-value.js';

/** A number of a value, and how much of it counts. */
export interface Term {
  /** The token whose row it is in; absent where a text has one row. */
  readonly token?: number;
  readonly column: number;
  readonly coefficient: number;
}

/** Σ coefficient · number over a few numbers of a value, and a constant. */
export interface Form {
  readonly terms: readonly Term[];
  readonly constant?: number;
}

/** A logit among the logits whose probabilities add up to 1 with its own. */
export interface Share {
  readonly coefficient: number;
  readonly logits: readonly Form[];
  readonly chosen: number;
  /** Further logits, which stay as they are; one 0 makes the probability of a single logit. */
  readonly fixed?: readonly number[];
}

/** What logits become: Σ coefficient · probability, with `joint` the product of the probabilities, or the same of their logarithms. */
export interface Probability {
  readonly output: 'probability' | 'log-probability';
  readonly shares: readonly Share[];
  readonly joint?: boolean;
}

/** What is explained: a logit, or what becomes of logits of which it is one. */
export interface Score extends Form {
  readonly value: ValueName;
  readonly probability?: Probability;
}

/** The positions that a score of the value selects, where its rows are selected ones. */
export function selectedOf({ terms }: Score, { rows }: Value): Int32Array | undefined {
  return rows === 'selected' ? Int32Array.from(new Set(terms.map(({ token = 0 }) => token))).sort() : undefined;
}

/** The logits' coefficients in the shape of a text's own rows of the value. */
export function coefficientsOf(score: Score, value: Value, tokens: number): Float32Array {
  const coefficients = shaped(score, value, tokens);
  addForm(coefficients, score, 1, placeFinder(score, value));
  return coefficients;
}

/** What a score that is a probability changes by, for each number of a text's own rows of the value: its gradient there. */
export function slopesOf(score: Score, probability: Probability, value: Value, tokens: number, rows: Float32Array): Float32Array {
  const place = placeFinder(score, value);
  const slopes = shaped(score, value, tokens);
  const found = sharesOf(probability, rows, place);
  const whole = probability.joint === true ? Math.exp(found.reduce((sum, { log }) => sum + log, 0)) : undefined;
  probability.shares.forEach(({ coefficient, logits, chosen }, s) => {
    const { log, exps } = found[s]!;
    const factor = probability.output === 'log-probability' ? coefficient : (whole ?? coefficient * Math.exp(log));
    logits.forEach((form, k) => addForm(slopes, form, factor * ((k === chosen ? 1 : 0) - exps[k]!), place));
  });
  return slopes;
}

/** The score of a text by its own rows of the value. */
export function scoreOf(score: Score, value: Value, rows: Float32Array): number {
  const { probability } = score;
  const place = placeFinder(score, value);
  if (probability === undefined) return formOf(score, rows, place);
  const logs = sharesOf(probability, rows, place).map(({ log }) => log);
  if (probability.joint === true) {
    const sum = logs.reduce((all, log) => all + log, 0);
    return probability.output === 'probability' ? Math.exp(sum) : sum;
  }
  const one = probability.output === 'probability' ? Math.exp : (log: number): number => log;
  return probability.shares.reduce((sum, { coefficient }, s) => sum + coefficient * one(logs[s]!), 0);
}

/** The score of a text whose tokens were moved: `places` says where each is now; undefined where one of the score is gone. */
export function movedScore(score: Score, places: ReadonlyMap<number, number>): Score | undefined {
  const isThere = ({ terms }: Form): boolean => terms.every(({ token }) => token === undefined || places.has(token));
  if (!isThere(score)) return undefined;
  const moved = <T extends Form>(form: T): T => ({
    ...form,
    terms: form.terms.map((term) => (term.token === undefined ? term : { ...term, token: places.get(term.token)! })),
  });
  const { probability } = score;
  if (probability === undefined) return moved(score);
  const shares = probability.shares.map((share) => {
    const kept = share.logits.filter(isThere);
    return { ...share, logits: kept.map(moved), chosen: kept.indexOf(share.logits[share.chosen]!) };
  });
  return { ...moved(score), probability: { ...probability, shares } };
}

type Place = (term: Term) => number;

function formOf({ terms, constant = 0 }: Form, rows: Float32Array, place: Place): number {
  return terms.reduce((sum, term) => sum + term.coefficient * rows[place(term)]!, constant);
}

function addForm(to: Float32Array, { terms }: Form, factor: number, place: Place): void {
  for (const term of terms) to[place(term)]! += factor * term.coefficient;
}

/** For each share the logarithm of its probability, and the probabilities of its logits. */
function sharesOf({ shares }: Probability, rows: Float32Array, place: Place): { readonly log: number; readonly exps: Float64Array }[] {
  return shares.map(({ logits, chosen, fixed = [] }) => {
    const all = Float64Array.from([...logits.map((form) => formOf(form, rows, place)), ...fixed]);
    const most = all.reduce((a, b) => Math.max(a, b), -Infinity);
    const sum = all.reduce((total, logit) => total + Math.exp(logit - most), 0);
    return { log: all[chosen]! - most - Math.log(sum), exps: softmax(all) };
  });
}

function shaped(score: Score, value: Value, tokens: number): Float32Array {
  return new Float32Array((value.rows === 'tokens' ? tokens : (selectedOf(score, value)?.length ?? 1)) * value.width);
}

/** Where the number of a term is among a text's own rows of the value. */
function placeFinder(score: Score, value: Value): Place {
  const { width } = value;
  if (value.rows === 'tokens') return ({ token = 0, column }) => token * width + column;
  const selected = selectedOf(score, value);
  return selected === undefined ? ({ column }) => column : ({ token = 0, column }) => selected.indexOf(token) * width + column;
}
