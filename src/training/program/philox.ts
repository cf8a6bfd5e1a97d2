/** Four words of Philox-4x32-10 (Salmon et al., 2011) for a counter of four words and a key of two, as dropout has them natively. */
export function philox(
  counter: readonly [number, number, number, number],
  key: readonly [number, number],
): [number, number, number, number] {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < 10; round++) {
    const [low0, low2] = [Math.imul(c0, 0xd2511f53) >>> 0, Math.imul(c2, 0xcd9e8d57) >>> 0];
    const [high0, high2] = [highProduct(c0, 0xd2511f53), highProduct(c2, 0xcd9e8d57)];
    [c0, c1, c2, c3] = [(high2 ^ c1 ^ k0) >>> 0, low2, (high0 ^ c3 ^ k1) >>> 0, low0];
    k0 = (k0 + 0x9e3779b9) >>> 0;
    k1 = (k1 + 0xbb67ae85) >>> 0;
  }
  return [c0, c1, c2, c3];
}

/** The two words of a seed below 2^53: seed mod 2^32, seed div 2^32. */
export function seedWords(seed: number): [number, number] {
  return [seed >>> 0, Math.floor(seed / 2 ** 32) >>> 0];
}

/** The upper 32 bits of a product of two 32-bit numbers, by halves. */
function highProduct(a: number, b: number): number {
  const [aLow, aHigh, bLow, bHigh] = [a & 0xffff, a >>> 16, b & 0xffff, b >>> 16];
  const middle = aHigh * bLow + ((aLow * bLow) >>> 16);
  const cross = aLow * bHigh + (middle & 0xffff);
  return aHigh * bHigh + Math.floor(middle / 0x10000) + Math.floor(cross / 0x10000);
}
