// Gradients of the engine's ops, written for clarity in float64; test/training/reference.test.ts holds them against central differences.

/** A linear layer and the gradient of its output: input [m, k], weight [n, k], gradOutput [m, n]. */
export interface LinearGradInputs {
  readonly input: ArrayLike<number>;
  readonly weight: ArrayLike<number>;
  readonly gradOutput: ArrayLike<number>;
  readonly m: number;
  readonly n: number;
  readonly k: number;
}

/** A sum of products, and the sum of their magnitudes: what rounding errors are relative to. */
export interface Sums {
  readonly values: Float64Array;
  readonly magnitudes: Float64Array;
}

/** Σ over i of a(row, i) · b(i, column), [rows, columns]. */
function sums(rows: number, columns: number, depth: number, product: (row: number, column: number, i: number) => number): Sums {
  const values = new Float64Array(rows * columns);
  const magnitudes = new Float64Array(rows * columns);
  for (let row = 0; row < rows; row++) {
    for (let column = 0; column < columns; column++) {
      const at = row * columns + column;
      for (let i = 0; i < depth; i++) {
        const term = product(row, column, i);
        values[at] = values[at]! + term;
        magnitudes[at] = magnitudes[at]! + Math.abs(term);
      }
    }
  }
  return { values, magnitudes };
}

/** dX [m, k] = dY · W, dW [n, k] = dYᵀ · X, db [n] = Σ dY. */
export function linearGrad({ input, weight, gradOutput, m, n, k }: LinearGradInputs): { input: Sums; weight: Sums; bias: Sums } {
  return {
    input: sums(m, k, n, (row, column, i) => gradOutput[row * n + i]! * weight[i * k + column]!),
    weight: sums(n, k, m, (row, column, i) => gradOutput[i * n + row]! * input[i * k + column]!),
    bias: sums(n, 1, m, (row, _, i) => gradOutput[i * n + row]!),
  };
}
