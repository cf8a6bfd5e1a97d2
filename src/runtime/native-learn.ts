/** Rows of a linear model's data in native memory. */
export interface NativeModelRows {
  readonly brand: 'NativeModelRows';
}

/** Linear models over rows in native memory; native/cpu/learn/linear_problem.h says what is computed. Arrays are copied before a call returns. */
export interface NativeLearn {
  rows(kind: 'float32' | 'float64' | 'sparse', rows: number, width: number, values: number): NativeModelRows;
  put(rows: NativeModelRows, first: number, numbers: Float32Array | Float64Array, columns?: Int32Array): void;
  starts(rows: NativeModelRows, starts: Float64Array): void;
  targets(rows: NativeModelRows, targets: Int32Array, weights: Float64Array, classes: number): void;
  evaluate(rows: NativeModelRows, weights: Float64Array): Promise<Float64Array>;
  scores(rows: NativeModelRows, weights: Float64Array, outputs: number): Promise<Float64Array>;
}
