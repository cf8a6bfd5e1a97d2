/** Rows of a linear model's data in native memory. */
export interface NativeModelRows {
  readonly brand: 'NativeModelRows';
}

/** Linear models over rows in native memory; native/cpu/learn/linear_problem.h says what is computed. Arrays are copied before a call returns. */
export interface NativeLearn {
  rows(kind: 'float32' | 'float64' | 'sparse', rows: number, width: number, values: number): NativeModelRows;
  /** Returns the index of the first number that is not finite, -1 for none. */
  put(rows: NativeModelRows, first: number, numbers: Float32Array | Float64Array, columns?: Int32Array): number;
  starts(rows: NativeModelRows, starts: Float64Array): void;
  targets(rows: NativeModelRows, targets: Int32Array, weights: Float64Array, classes: number): void;
  evaluate(rows: NativeModelRows, weights: Float64Array): Promise<Float64Array>;
  scores(rows: NativeModelRows, weights: Float64Array, outputs: number): Promise<Float64Array>;
  /** The nearest centre of each row; `sums` [count, width] of each centre's rows less the offset, then [count] how many they are. */
  nearest(
    rows: NativeModelRows,
    offset: Float64Array,
    centers: Float64Array,
  ): Promise<{ readonly labels: Int32Array; readonly sums: Float64Array }>;
  /** Squared distances of rows to their centres. */
  distances(rows: NativeModelRows, centers: Float64Array, labels: Int32Array): Promise<Float64Array>;
  /** Products of pairs of columns less the offset, summed [width, width]. */
  products(rows: NativeModelRows, offset: Float64Array): Promise<Float64Array>;
  /** Eigenvalues, falling, and a row of the eigenvectors for each. */
  eigen(matrix: Float64Array, size: number): Promise<{ readonly values: Float64Array; readonly vectors: Float64Array }>;
}
