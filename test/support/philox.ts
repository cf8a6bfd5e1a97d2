// Philox-4x32-10 and the masks of dropout, as docs/training.md defines them; written for clarity.

/** One place of a program that drops: 0 < probability < 1. */
export interface DropoutSite {
  readonly probability: number;
  readonly seed: number;
  readonly microStep: number;
  readonly site: number;
}

const low32 = (x: bigint) => Number(x & 0xffffffffn);
const product = (a: number, b: number) => BigInt(a) * BigInt(b);

/** The four words for a counter and a key. */
export function philox(counter: readonly number[], key: readonly number[]): number[] {
  let [c0, c1, c2, c3] = counter as [number, number, number, number];
  let [k0, k1] = key as [number, number];
  for (let round = 0; round < 10; round++) {
    const [a, b] = [product(0xd2511f53, c0), product(0xcd9e8d57, c2)];
    [c0, c1, c2, c3] = [(low32(b >> 32n) ^ c1 ^ k0) >>> 0, low32(b), (low32(a >> 32n) ^ c3 ^ k1) >>> 0, low32(a)];
    [k0, k1] = [(k0 + 0x9e3779b9) >>> 0, (k1 + 0xbb67ae85) >>> 0];
  }
  return [c0, c1, c2, c3];
}

/** 0 where the element (row, column) of the site is dropped, else what it is multiplied by; `head` of attention. */
export function dropoutFactor({ probability, seed, microStep, site }: DropoutSite, row: number, column: number, head = 0): number {
  const threshold = Math.round(65536 * probability);
  const counter = [Math.floor(column / 8), row, site + 65536 * head, microStep];
  const words = philox(counter, [seed % 2 ** 32, Math.floor(seed / 2 ** 32)]);
  const word = words[(column % 8) >> 1]!;
  const number = column % 2 === 0 ? word & 0xffff : word >>> 16;
  return number < threshold ? 0 : 65536 / (65536 - threshold);
}

/** Whether each column of a row is kept, from all 32 bits of the counter's words and the key's. */
export function keptColumns(
  row: number,
  width: number,
  site: number,
  microStep: number,
  key: readonly number[],
  threshold: number,
): boolean[] {
  return Array.from({ length: width }, (_, column) => {
    const word = philox([Math.floor(column / 8), row, site, microStep], key)[(column % 8) >> 1]!;
    return (column % 2 === 0 ? word & 0xffff : word >>> 16) >= threshold;
  });
}
