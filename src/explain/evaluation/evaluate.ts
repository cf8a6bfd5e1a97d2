import { Job, rowsOf, type Sequence } from '../../calls/job.js';
import type { Model, Value } from '../../models/index.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { newGroup, type RunOptions } from '../../runtime/session.js';
import { withEngine } from '../engine/engines.js';
import { headValue, type ValueName } from '../engine/named-value.js';
import { kMostRows, type RowSequence } from '../engine/row-engine.js';
import type { ExplainedText } from '../reading/explained-text.js';
import type { Baseline } from './baseline.js';
import { coefficientsOf, movedScore, scoreOf, selectedOf, type Score } from './score.js';

/** How the forwards and backwards of a call run, and who hears of each that is done. */
export interface Running extends Pick<RunOptions, 'signal' | 'priority' | 'deadlineMs'> {
  readonly onDone?: ((count: number) => void) | undefined;
}

/** What is explained: a score of a text against a baseline. */
export interface Problem {
  readonly model: Model;
  readonly read: ExplainedText;
  readonly score: Score;
  readonly baseline: Baseline;
  readonly running: Running;
}

/** Tokens of a text, by position. */
export type Positions = ReadonlySet<number>;

/** A value of a loaded model by its name. Errors: those of what modules.json describes. */
export function modelValue({ values }: Model, name: ValueName): Value {
  if (name === 'vector') return values.sentenceEmbedding;
  return name === 'normalizedVector' ? values.normalizedEmbedding : headValue(values, name)!;
}

/** A value of sequences, for each its own rows. Sequences of equal ids are computed once. Errors: as `Session.run`. */
export async function valuesOf(
  model: Model,
  sequences: readonly Sequence[],
  value: Value,
  poolSkip: number,
  { signal, priority = 'bulk', deadlineMs, onDone }: Running,
): Promise<Float32Array[]> {
  const results: Float32Array[] = [];
  const group = newGroup();
  const budget = new Budget(signal, priority);
  for (let first = 0; first < sequences.length;) {
    const job = new Job<Sequence>(first);
    while (first < sequences.length && job.hasRoom) job.add(sequences[first++]!);
    const batch = job.pack(model, poolSkip);
    const [data] = await model.session.run(batch, [value], { signal, priority, deadlineMs, group });
    for (let i = 0; i < job.sequences.length; i++) {
      results.push(rowsOf(data!, value, batch, i).slice());
      if (budget.isSpent) await budget.yield();
    }
    onDone?.(job.sequences.length);
  }
  return results;
}

/**
 * The scores of the text with tokens at the baseline, for each of `variants`, each of which is read before the next is made. Errors: as `Session.run`, and
 * those of `withEngine`.
 */
export async function scoresAtBaseline(problem: Problem, variants: Iterable<Positions>): Promise<Float64Array> {
  const { model, read, baseline, score } = problem;
  // Positions pass over MPNet's padding token, but not over a row that stands where a token was.
  if (baseline.id === undefined || baseline.id === model.config.uncountedId) return scoresOfRows(problem, variants);
  const { ids, typeIds } = read.encoding;
  return scoresOfIds(problem, variants, (replaced) => {
    return { ids: ids.map((id, i) => (replaced.has(i) ? baseline.id! : id)), typeIds, score };
  });
}

/** The scores of the text without tokens, what follows moving up; NaN where a token that the score reads is gone. Errors: as `Session.run`. */
export async function scoresWithout(problem: Problem, variants: readonly Positions[]): Promise<Float64Array> {
  const { ids, typeIds } = problem.read.encoding;
  return scoresOfIds(problem, variants, (removed) => {
    const kept = Array.from(ids.keys()).filter((i) => !removed.has(i));
    const score = movedScore(problem.score, new Map(kept.map((from, to) => [from, to])));
    const take = (list: Int32Array): Int32Array => Int32Array.from(kept, (i) => list[i]!);
    return score && { ids: take(ids), typeIds: take(typeIds), score };
  });
}

interface ScoredIds {
  readonly ids: Int32Array;
  readonly typeIds: Int32Array;
  readonly score: Score;
}

/** The scores of what `textOf` makes of each variant, NaN where it makes none. */
async function scoresOfIds(
  { model, read, score, running }: Problem,
  variants: Iterable<Positions>,
  textOf: (variant: Positions) => ScoredIds | undefined,
): Promise<Float64Array> {
  const value = modelValue(model, score.value);
  const budget = new Budget(running.signal, running.priority ?? 'bulk');
  const different = new Map<string, number>();
  const sequences: Sequence[] = [];
  const texts: ({ readonly score: Score; readonly place: number } | undefined)[] = [];
  let numSame = 0;
  for (const variant of variants) {
    if (budget.isSpent) await budget.yield();
    const text = textOf(variant);
    if (text === undefined) {
      texts.push(undefined);
      continue;
    }
    const { ids, typeIds } = text;
    const selected = selectedOf(text.score, value);
    const key = `${ids.join()} ${selected?.join() ?? ''}`;
    const known = different.get(key);
    const place = known ?? sequences.length;
    if (known === undefined) {
      different.set(key, place);
      sequences.push({ ids, typeIds, ...(selected && { selected }) });
    } else numSame++;
    texts.push({ score: text.score, place });
  }
  const rows = await valuesOf(model, sequences, value, read.poolSkip, running);
  running.onDone?.(numSame);
  const scores = new Float64Array(texts.length);
  for (const [i, text] of texts.entries()) {
    scores[i] = text === undefined ? NaN : scoreOf(text.score, value, rows[text.place]!);
    if (budget.isSpent) await budget.yield();
  }
  return scores;
}

function scoresOfRows({ model, read, score, baseline, running }: Problem, variants: Iterable<Positions>): Promise<Float64Array> {
  const { ids, typeIds } = read.encoding;
  return withEngine(model, score.value, ids.length, async (engine) => {
    const { width, value } = engine;
    const own = await engine.rowsOf(ids);
    const other = await baselineRow(engine, baseline);
    const selected = selectedOf(score, value);
    const coefficients = coefficientsOf(score, value, ids.length);
    const budget = new Budget(running.signal, running.priority ?? 'bulk');
    const scores: number[] = [];
    const most = Math.max(1, Math.floor(kMostRows / ids.length));
    const compute = async (sequences: readonly RowSequence[]): Promise<void> => {
      const results = await engine.run(sequences, { gradients: false, signal: running.signal, onDone: running.onDone });
      scores.push(...results.map((result) => scoreOf(score, value, result.value)));
    };
    let sequences: RowSequence[] = [];
    for (const replaced of variants) {
      if (budget.isSpent) await budget.yield();
      const rows = own.slice();
      for (const i of replaced) rows.set(other, i * width);
      sequences.push({ rows, ...typed(model, typeIds), ...(selected && { selected }), ...skipped(read), coefficients });
      if (sequences.length < most) continue;
      await compute(sequences);
      sequences = [];
    }
    if (sequences.length > 0) await compute(sequences);
    return Float64Array.from(scores);
  });
}

/** The row of the word table that a baseline is. */
export async function baselineRow(
  engine: { readonly width: number; rowsOf(ids: ArrayLike<number>): Promise<Float32Array> },
  { id }: Baseline,
): Promise<Float32Array> {
  return id === undefined ? new Float32Array(engine.width) : engine.rowsOf([id]);
}

/** Token types, for a model that reads them. */
export function typed({ config }: Model, typeIds: Int32Array): { readonly typeIds?: Int32Array } {
  return config.typeVocabSize === 0 ? {} : { typeIds };
}

/** Tokens that pooling leaves out, where there are any. */
export function skipped({ poolSkip }: ExplainedText): { readonly poolSkip?: number } {
  return poolSkip === 0 ? {} : { poolSkip };
}
