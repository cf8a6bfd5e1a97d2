import type { LoadModelOptions } from '../../src/models/model.js';
import { worstDifference } from '../../test/support/compare.js';
import type { GoldenTensor } from './files.js';

/** What became of one folder. `unsupported`: it needs what this version cannot load. */
export type Verdict = 'ok' | 'FAILED' | 'unsupported';

/** Collects what a comparison finds in one folder. */
export class Report {
  readonly name: string;
  readonly tolerance: number;
  /** How the comparison loads models. */
  readonly load: LoadModelOptions;
  readonly failures: string[] = [];
  /** Reference values that nothing here computes yet, by what they are. */
  readonly leftOut = new Set<string>();
  tensors = 0;
  sequences = 0;
  answers = 0;
  /** Of |actual - expected| / max(1, |expected|). */
  largest = 0;
  unsupported: string | undefined;

  constructor(name: string, tolerance: number, load: LoadModelOptions = {}) {
    this.name = name;
    this.tolerance = tolerance;
    this.load = load;
  }

  get verdict(): Verdict {
    if (this.failures.length > 0) return 'FAILED';
    if (this.unsupported !== undefined) return 'unsupported';
    if (this.tensors === 0 && this.sequences === 0) return 'FAILED';
    return 'ok';
  }

  /** Compares one tensor; `limit` replaces the report's tolerance. */
  compare(name: string, actual: ArrayLike<number> | undefined, expected: GoldenTensor, limit = this.tolerance): void {
    this.tensors++;
    const { values } = expected;
    if (actual === undefined || actual.length !== values.length) {
      this.failures.push(`${name}: expected ${values.length} values but received ${actual?.length ?? 'none'}`);
      return;
    }
    const worst = worstDifference(actual, values, (i) => Math.max(1, Math.abs(values[i]!)));
    this.largest = Math.max(this.largest, worst.ratio);
    if (worst.ratio > limit) {
      const place = `[${indices(worst.index, expected.dims).join(', ')}]`;
      this.failures.push(
        `${name}${place}: expected ${worst.expected} but received ${worst.actual}, which is off by ${worst.ratio.toExponential(1)}`,
      );
    }
  }

  /** Compares what must be equal, such as token ids. */
  compareEqual(name: string, actual: unknown, expected: unknown): void {
    const [a, e] = [JSON.stringify(actual), JSON.stringify(expected)];
    if (a !== e) this.failures.push(`${name}: expected ${shorten(e)} but received ${shorten(a)}`);
  }

  /** One line, and below it the first failures. */
  toString(): string {
    const { name, verdict } = this;
    const head = `${name.padEnd(40)} ${verdict.padEnd(11)}`;
    if (verdict === 'unsupported') return `${head} ${this.unsupported}`;
    const counts = `${String(this.tensors).padStart(4)} tensors  ${this.largest.toExponential(1).padStart(7)}`;
    const tokens = this.sequences > 0 ? `  ${this.sequences} texts tokenized` : '';
    const answers = this.answers > 0 ? `  ${this.answers} answers` : '';
    const rest = this.leftOut.size > 0 ? `  not compared: ${[...this.leftOut].join(', ')}` : '';
    const shown = this.failures.slice(0, kShownFailures).map((failure) => `\n    ${failure}`);
    const more = this.failures.length > kShownFailures ? `\n    and ${this.failures.length - kShownFailures} more` : '';
    return `${head} ${counts}${tokens}${answers}${rest}${shown.join('')}${more}`;
  }
}

const kShownFailures = 8;

function indices(index: number, dims: readonly number[]): number[] {
  const result: number[] = [];
  for (const size of [...dims].reverse()) {
    result.unshift(index % size);
    index = Math.floor(index / size);
  }
  return result;
}

function shorten(json: string): string {
  return json.length > 160 ? `${json.slice(0, 160)}…` : json;
}
