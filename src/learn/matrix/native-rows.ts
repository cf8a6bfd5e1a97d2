import { unexpected } from '../../expected.js';
import { loadAddon } from '../../runtime/addon.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import type { NativeModelRows } from '../../runtime/native-learn.js';
import { callNative, toBerthaError } from '../../runtime/native-error.js';
import { toRows } from '../../vectors/rows.js';
import type { FloatArray } from '../../vectors/vector-like.js';
import { isSparse, type Matrix, notFinite } from './matrix.js';

/** Numbers that are copied at once: 1 MB of float32. */
const kBlockNumbers = 1 << 18;
/** Columns that `values` reads at once. */
const kColumns = 64;

/** Rows in native memory, for what the pool computes over them. */
export class NativeRows {
  readonly #rows: NativeModelRows;

  private constructor(
    rows: NativeModelRows,
    readonly count: number,
    readonly width: number,
  ) {
    this.#rows = rows;
  }

  /**
   * Copies `x` in slices of the event loop. `name` is what errors call it.
   *
   * Errors: INVALID_ARG for no rows, rows of different lengths, and numbers that are not finite (row and column named); ADDON_LOAD,
   * OUT_OF_MEMORY, the signal's reason.
   */
  static async copy(x: Matrix, name: string, signal?: AbortSignal): Promise<NativeRows> {
    signal?.throwIfAborted();
    const { learn } = loadAddon();
    const budget = new Budget(signal);
    if (isSparse(x)) {
      requireRows(x.rows, x.columns, name);
      const { values, indices } = x;
      const rows = callNative(() => learn.rows('sparse', x.rows, x.columns, values.length));
      for (let first = 0; first < values.length; first += kBlockNumbers) {
        const end = Math.min(values.length, first + kBlockNumbers);
        const bad = callNative(() => learn.put(rows, first, values.subarray(first, end), indices.subarray(first, end)));
        if (bad >= 0) {
          const row = x.indptr.findIndex((start) => start > first + bad) - 1;
          throw notFinite(name, row * x.columns + indices[first + bad]!, x.columns, values[first + bad]!);
        }
        if (budget.isSpent) await budget.yield();
      }
      callNative(() => learn.starts(rows, x.indptr));
      return new NativeRows(rows, x.rows, x.columns);
    }
    const source = toRows(x, name);
    requireRows(source.count, source.width, name);
    const each = Math.max(1, Math.floor(kBlockNumbers / source.width));
    const blocks = Math.ceil(source.count / each);
    const block = (i: number): FloatArray => source.block(i * each, Math.min(source.count, (i + 1) * each));
    let isSingle = block(0).BYTES_PER_ELEMENT === 4;
    const begin = (): NativeModelRows =>
      callNative(() => learn.rows(isSingle ? 'float32' : 'float64', source.count, source.width, source.count * source.width));
    let rows = begin();
    for (let i = 0; i < blocks; i++) {
      const values = block(i);
      if (isSingle && values.BYTES_PER_ELEMENT === 8) {
        // A list whose later vectors are float64: all of it is, then.
        isSingle = false;
        rows = begin();
        i = -1;
        continue;
      }
      const numbers = isSingle || values.BYTES_PER_ELEMENT === 8 ? values : Float64Array.from(values);
      const bad = callNative(() => learn.put(rows, i * each * source.width, numbers));
      if (bad >= 0) throw notFinite(name, i * each * source.width + bad, source.width, values[bad]!);
      if (budget.isSpent) await budget.yield();
    }
    return new NativeRows(rows, source.count, source.width);
  }

  /** Sets the class of each row [rows], below `classes`, and the rows' weights [rows], or none. */
  setTargets(targets: Int32Array, weights: Float64Array | undefined, classes: number): void {
    callNative(() => loadAddon().learn.targets(this.#rows, targets, weights ?? new Float64Array(0), classes));
  }

  /** The gradient of the mean logistic loss at `weights` [outputs, width] with intercepts [outputs] after them, and then the loss itself. */
  evaluate(weights: Float64Array): Promise<Float64Array> {
    return loadAddon().learn.evaluate(this.#rows, weights).catch(rethrow);
  }

  /** Products [rows, outputs] with weights [outputs, width], intercepts [outputs] after them. */
  scores(weights: Float64Array, outputs: number): Promise<Float64Array> {
    return loadAddon().learn.scores(this.#rows, weights, outputs).catch(rethrow);
  }

  /** The nearest of `centers` [count, width] for each row, both less `offset`; `sums` [count, width] of each centre's rows less the offset, then [count] how many they are. */
  nearest(offset: Float64Array, centers: Float64Array): Promise<{ readonly labels: Int32Array; readonly sums: Float64Array }> {
    return loadAddon().learn.nearest(this.#rows, offset, centers).catch(rethrow);
  }

  /** Squared distances [rows], of each row to that of `centers` [count, width] which its label names. */
  distances(centers: Float64Array, labels: Int32Array): Promise<Float64Array> {
    return loadAddon().learn.distances(this.#rows, centers, labels).catch(rethrow);
  }

  /** Products of all pairs of columns less `offset`, summed over the rows [width, width]. */
  products(offset: Float64Array): Promise<Float64Array> {
    return loadAddon().learn.products(this.#rows, offset).catch(rethrow);
  }

  /** The rows themselves [count, width], in float64. */
  async values(): Promise<Float64Array> {
    const data = new Float64Array(this.count * this.width);
    for (let first = 0; first < this.width; first += kColumns) {
      // Products with unit vectors are the columns, exactly.
      const columns = Math.min(kColumns, this.width - first);
      const units = new Float64Array(columns * (this.width + 1));
      for (let i = 0; i < columns; i++) units[i * this.width + first + i] = 1;
      const part = await this.scores(units, columns);
      for (let row = 0; row < this.count; row++) data.set(part.subarray(row * columns, (row + 1) * columns), row * this.width + first);
    }
    return data;
  }

  /** The means of the columns [width]. */
  async means(): Promise<Float64Array> {
    const origin = new Float64Array(this.width);
    const { sums } = await this.nearest(origin, origin);
    return sums.slice(0, this.width).map((sum) => sum / this.count);
  }
}

/** Eigenvalues of a symmetric matrix [size, size], falling, and a row of the eigenvectors [size, size] for each. Errors: NON_FINITE. */
export function symmetricEigen(
  matrix: Float64Array,
  size: number,
): Promise<{ readonly values: Float64Array; readonly vectors: Float64Array }> {
  return loadAddon().learn.eigen(matrix, size).catch(rethrow);
}

function rethrow(error: unknown): never {
  throw toBerthaError(error);
}

function requireRows(rows: number, columns: number, name: string): void {
  if (rows === 0 || columns === 0) throw unexpected('INVALID_ARG', `rows of numbers for ${name}`, 'none');
}
