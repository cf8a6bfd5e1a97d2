/**
 * Random numbers for what is drawn of data: a function of the keys alone (a seed, an epoch, a row's index), the same on every machine.
 * SplitMix32 mixes the keys, sfc32 goes on from there.
 */
export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter = 1;

  /** Keys are whole numbers; of large ones both halves count. */
  constructor(...keys: readonly number[]) {
    let [a, b, c] = [0x9e3779b9, 0x243f6a88, 0xb7e15162];
    for (const key of keys) {
      for (const half of [key >>> 0, Math.floor(key / 2 ** 32) >>> 0]) [a, b, c] = [mix(a ^ half), mix(b + half), mix(c ^ (a + b))];
    }
    [this.#a, this.#b, this.#c] = [a, b, c];
    for (let i = 0; i < 12; i++) this.#next();
  }

  /** From 0 to below 1, in steps of 2^-32. */
  uniform(): number {
    return this.#next() / 2 ** 32;
  }

  /** A whole number below a bound of at most 2^32. */
  below(bound: number): number {
    return Math.floor(this.uniform() * bound);
  }

  #next(): number {
    const sum = (this.#a + this.#b + this.#counter++) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum;
    return sum >>> 0;
  }
}

function mix(value: number): number {
  let z = (value + 0x9e3779b9) | 0;
  z = Math.imul(z ^ (z >>> 16), 0x21f0aaad);
  z = Math.imul(z ^ (z >>> 15), 0x735a2d97);
  return (z ^ (z >>> 15)) >>> 0;
}
