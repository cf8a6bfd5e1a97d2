import { Budget } from '../../runtime/event-loop-budget.js';
import type { RowEngine, RowResult, RowSequence } from '../engine/row-engine.js';
import { withEngine } from '../engine/engines.js';
import { baselineRow, skipped, typed, type Problem } from '../evaluation/evaluate.js';
import { coefficientsOf, scoreOf, selectedOf, slopesOf } from '../evaluation/score.js';
import { gaussLegendre, type Quadrature } from './quadrature.js';

/** What a gradient method found. All numbers are in float64, computed from gradients in float32. */
export interface GradientAttribution {
  /** One a token; 0 for those that stay as they are. */
  readonly tokens: Float64Array;
  readonly score: number;
  readonly baselineScore: number;
  /** Σ tokens - (score - baselineScore). */
  readonly delta: number;
  readonly steps: number;
  readonly converged: boolean;
}

/** The rows of a text and of its baseline, on an engine. */
export class Path {
  private constructor(
    readonly problem: Problem,
    readonly engine: RowEngine,
    /** [tokens, width] */
    readonly own: Float32Array,
    readonly other: Float32Array,
  ) {}

  static async between(problem: Problem, engine: RowEngine): Promise<Path> {
    const { tokens } = problem.read;
    const own = await engine.rowsOf(tokens.map(({ id }) => id));
    const row = await baselineRow(engine, problem.baseline);
    const other = own.slice();
    tokens.forEach(({ special }, i) => special || other.set(row, i * engine.width));
    return new Path(problem, engine, own, other);
  }

  /** Scores at points x' + α (x - x'), with their gradients' sums for every token, or the gradients themselves too. */
  async at(alphas: readonly number[], wanted: 'scores' | 'sums' | 'gradients' = 'sums'): Promise<Point[]> {
    const { model, read, score, running } = this.problem;
    const { value, width } = this.engine;
    const { typeIds } = read.encoding;
    const coefficients = coefficientsOf(score, value, read.tokens.length);
    const selected = selectedOf(score, value);
    const { own, other } = this;
    const points: Point[] = [];
    const budget = new Budget(running.signal, running.priority ?? 'bulk');
    const most = Math.max(1, Math.floor(this.engine.capacity / read.tokens.length));
    for (let first = 0; first < alphas.length; first += most) {
      const sequences: RowSequence[] = [];
      for (const alpha of alphas.slice(first, first + most)) {
        if (budget.isSpent) await budget.yield();
        const rows = alpha === 1 ? own : between(other, own, alpha);
        sequences.push({ rows, ...typed(model, typeIds), ...(selected && { selected }), ...skipped(read), coefficients });
      }
      const results = await this.#run(sequences, wanted !== 'scores');
      for (const { value: rows, gradient } of results) {
        if (budget.isSpent) await budget.yield();
        const sums = sumsOf(gradient, own, other, width);
        points.push({ score: scoreOf(score, value, rows), ...sums, ...(wanted === 'gradients' && { gradient }) });
      }
    }
    return points;
  }

  /** Of a probability the gradient depends on the logits, which are computed before. */
  async #run(sequences: readonly RowSequence[], gradients: boolean): Promise<RowResult[]> {
    const { read, score, running } = this.problem;
    const { probability } = score;
    const { value } = this.engine;
    const options = { gradients, signal: running.signal, onDone: running.onDone };
    if (!gradients || probability === undefined) return this.engine.run(sequences, options);
    const logits = await this.engine.run(sequences, { gradients: false, signal: running.signal });
    const sloping = sequences.map((sequence, i) => ({
      ...sequence,
      coefficients: slopesOf(score, probability, value, read.tokens.length, logits[i]!.value),
    }));
    return this.engine.run(sloping, options);
  }
}

/** What is known at one point between baseline and text. */
export interface Point {
  readonly score: number;
  /** Σ_e ∂f/∂x · (x - x') of each token, and ‖∂f/∂x‖; empty where only the score was asked for. */
  readonly terms: Float64Array;
  readonly norms: Float64Array;
  /** [tokens, width], where it was asked for: of many points they are large. */
  readonly gradient?: Float32Array;
}

/** The rows at a share of the way from `from` to `to`. */
function between(from: Float32Array, to: Float32Array, share: number): Float32Array {
  const rows = new Float32Array(from.length);
  for (let i = 0; i < rows.length; i++) rows[i] = from[i]! + share * (to[i]! - from[i]!);
  return rows;
}

/** What a gradient [tokens, width] adds up to for each token. */
function sumsOf(gradient: Float32Array, own: Float32Array, other: Float32Array, width: number): Pick<Point, 'terms' | 'norms'> {
  const tokens = gradient.length / width;
  const [terms, norms] = [new Float64Array(tokens), new Float64Array(tokens)];
  for (let token = 0; token < tokens; token++) {
    let [term, norm] = [0, 0];
    for (let i = token * width; i < (token + 1) * width; i++) {
      const slope = gradient[i]!;
      term += slope * (own[i]! - other[i]!);
      norm += slope ** 2;
    }
    [terms[token], norms[token]] = [term, Math.sqrt(norm)];
  }
  return { terms, norms };
}

/**
 * Gradient times the way from the baseline, or the gradient's norm, where the text stands. From zeros, special tokens too have a product: it is the
 * gradient times the input then.
 */
export function pointGradient(problem: Problem, method: 'gradient-x-input' | 'gradient-norm'): Promise<GradientAttribution> {
  return onPath(problem, async (path) => {
    const [[at], [from]] = [await path.at([1], 'gradients'), await path.at([0], 'scores')];
    const isInput = problem.baseline.id === undefined;
    const terms = isInput ? products(at!.gradient!, path.own, path.engine.width) : at!.terms;
    const tokens = method === 'gradient-norm' ? at!.norms : terms;
    const sum = problem.read.tokens.reduce((all, { special }, i) => all + (special ? 0 : tokens[i]!), 0);
    const { score } = at!;
    const baselineScore = from!.score;
    return { tokens, score, baselineScore, delta: sum - (score - baselineScore), steps: 1, converged: true };
  });
}

/** Σ_e gradient · row for each token. */
function products(gradient: Float32Array, rows: Float32Array, width: number): Float64Array {
  const tokens = new Float64Array(rows.length / width);
  for (let i = 0; i < rows.length; i++) tokens[Math.floor(i / width)]! += gradient[i]! * rows[i]!;
  return tokens;
}

/** Stages of the option `steps: 'auto'`. */
const kStages = [16, 32, 64, 128, 256];

/** Hears of each stage of integrated gradients while the next is computed. */
export type OnStage = (stage: GradientAttribution) => void;

/** Integrated gradients along the straight line from the baseline (Sundararajan, Taly, Yan 2017), by Gauss–Legendre nodes. */
export function integratedGradients(problem: Problem, steps: number | 'auto', onStage?: OnStage): Promise<GradientAttribution> {
  return onPath(problem, async (path) => {
    const [from, at] = await path.at([0, 1], 'scores');
    const [score, baselineScore] = [at!.score, from!.score];
    const stageOf = async (n: number): Promise<GradientAttribution> => {
      const tokens = await integrate(path, gaussLegendre(n));
      const delta = sum(tokens) - (score - baselineScore);
      return { tokens, score, baselineScore, delta, steps: n, converged: isComplete(tokens, delta, score - baselineScore) };
    };
    if (steps !== 'auto') return stageOf(steps);
    let before: GradientAttribution | undefined;
    for (const n of kStages) {
      const stage = await stageOf(n);
      const agrees = before !== undefined && isNear(before.tokens, stage.tokens);
      if (stage.converged && agrees) return stage;
      before = { ...stage, converged: false };
      onStage?.(before);
    }
    return before!;
  });
}

/** The integral by a rule, for each token. */
export async function integrate(path: Path, { nodes, weights }: Quadrature): Promise<Float64Array> {
  const tokens = new Float64Array(path.problem.read.tokens.length);
  const points = await path.at(Array.from(nodes));
  points.forEach(({ terms }, k) => terms.forEach((term, i) => (tokens[i]! += weights[k]! * term)));
  return tokens;
}

/** Calls `work` with the path of a problem on its engine. */
export function onPath<T>(problem: Problem, work: (path: Path) => Promise<T>): Promise<T> {
  const { model, read, score } = problem;
  return withEngine(model, score.value, read.tokens.length, async (engine) => work(await Path.between(problem, engine)));
}

/** Whether attributions add up within 1 % of the difference, or of 5 % of their own size where that is larger. */
function isComplete(tokens: Float64Array, delta: number, difference: number): boolean {
  const size = tokens.reduce((all, value) => all + Math.abs(value), 0);
  // Float32 forwards are no more exact than this.
  return Math.abs(delta) <= Math.max(0.01 * Math.max(Math.abs(difference), 0.05 * size), 1e-5);
}

function isNear(a: Float64Array, b: Float64Array): boolean {
  const largest = b.reduce((most, value) => Math.max(most, Math.abs(value)), 0);
  return a.every((value, i) => Math.abs(value - b[i]!) <= Math.max(0.01 * largest, 1e-5));
}

function sum(values: Float64Array): number {
  return values.reduce((all, value) => all + value, 0);
}
