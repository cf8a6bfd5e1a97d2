/**
 * ALiBi's slopes: a geometric series for a power of two of heads, else that of the power below, and then every second one of the power above.
 * https://arxiv.org/abs/2108.12409
 */
export function alibiSlopes(numHeads: number): number[] {
  const whole = 2 ** Math.floor(Math.log2(numHeads));
  const series = (count: number): number[] => Array.from({ length: count }, (_, i) => 2 ** ((-8 * (i + 1)) / count));
  const between = series(2 * whole).filter((_, i) => i % 2 === 0);
  return [...series(whole), ...between.slice(0, numHeads - whole)];
}
