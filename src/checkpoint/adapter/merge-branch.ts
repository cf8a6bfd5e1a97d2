/** W + scale · B A, in float64: `b` [rows, rank], `a` [rank, cols], `weight` [rows, cols] row-major. */
export function mergeBranch(weight: Float32Array, a: Float32Array, b: Float32Array, rank: number, scale: number): Float32Array {
  const cols = a.length / rank;
  const merged = new Float32Array(weight.length);
  const sum = new Float64Array(cols);
  for (let row = 0; row < weight.length / cols; row++) {
    sum.fill(0);
    for (let r = 0; r < rank; r++) {
      const factor = scale * b[row * rank + r]!;
      for (let col = 0; col < cols; col++) sum[col] = sum[col]! + factor * a[r * cols + col]!;
    }
    for (let col = 0; col < cols; col++) merged[row * cols + col] = weight[row * cols + col]! + sum[col]!;
  }
  return merged;
}
