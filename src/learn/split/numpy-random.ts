import { mersenne } from 'pure-rand/generator/mersenne';

/** numpy's RandomState: MT19937, whole numbers by masked rejection. The same seed gives numpy's permutations. */
export class NumpyRandom {
  readonly #generator: { next(): number };

  constructor(seed: number) {
    this.#generator = mersenne(seed);
  }

  /** 32 bits. */
  uint32(): number {
    return this.#generator.next() >>> 0;
  }

  /** From 0 to below 1, 53 bits. */
  uniform(): number {
    const [high, low] = [this.uint32() >>> 5, this.uint32() >>> 6];
    return (high * 67108864 + low) / 9007199254740992;
  }

  /** A whole number from 0 to `most`, which is below 2^32. */
  integer(most: number): number {
    if (most === 0) return 0;
    const mask = 2 ** (32 - Math.clz32(most)) - 1;
    for (;;) {
      const draw = (this.uint32() & mask) >>> 0;
      if (draw <= most) return draw;
    }
  }

  /** Shuffles in place: Fisher and Yates, from the end. */
  shuffle<T extends number[] | Int32Array>(list: T): T {
    for (let i = list.length - 1; i > 0; i--) {
      const j = this.integer(i);
      [list[i], list[j]] = [list[j]!, list[i]!];
    }
    return list;
  }

  /** The numbers below `n` in a random order. */
  permutation(n: number): number[] {
    return this.shuffle(Array.from({ length: n }, (_, i) => i));
  }
}
