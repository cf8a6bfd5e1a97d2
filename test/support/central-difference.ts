/** d f / d x at every number of x, by differences of f in float64: two sides, a step of 1e-5 times the number where that is above 1. */
export function centralDifference(f: (x: Float64Array) => number, x: ArrayLike<number>): Float64Array {
  const moved = Float64Array.from(x);
  return moved.map((at, i) => {
    const step = 1e-5 * Math.max(1, Math.abs(at));
    moved[i] = at + step;
    const above = f(moved);
    moved[i] = at - step;
    const below = f(moved);
    moved[i] = at;
    return (above - below) / (2 * step);
  });
}
