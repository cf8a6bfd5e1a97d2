/** Nodes and weights of the Gauss–Legendre rule. */
export interface Quadrature {
  readonly nodes: Float64Array;
  readonly weights: Float64Array;
}

/** The rule of `n` points on [0, 1], exact for polynomials of degree 2n - 1. Newton's method on the Legendre polynomial. */
export function gaussLegendre(n: number): Quadrature {
  const nodes = new Float64Array(n);
  const weights = new Float64Array(n);
  for (let i = 0; i < Math.ceil(n / 2); i++) {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5));
    let slope = 1;
    for (let step = 0; step < 100; step++) {
      const [value, derivative] = legendre(n, x);
      slope = derivative;
      const change = value / derivative;
      x -= change;
      if (Math.abs(change) < 1e-16) break;
    }
    if (2 * i + 1 === n) x = 0;
    slope = legendre(n, x)[1];
    const weight = 1 / ((1 - x * x) * slope * slope);
    [nodes[i], nodes[n - 1 - i]] = [(1 - x) / 2, (1 + x) / 2];
    [weights[i], weights[n - 1 - i]] = [weight, weight];
  }
  return { nodes, weights };
}

/** The Legendre polynomial of degree n, and its derivative. */
function legendre(n: number, x: number): [number, number] {
  let [before, value] = [1, x];
  for (let k = 2; k <= n; k++) [before, value] = [value, ((2 * k - 1) * x * value - (k - 1) * before) / k];
  return [value, (n * (x * value - before)) / (x * x - 1)];
}
