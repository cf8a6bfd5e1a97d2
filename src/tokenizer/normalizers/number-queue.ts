const CHUNK = 1 << 8;

/** Numbers of 32 bits, first in, first out; grows without copying, so that no single `push` is slow. */
export class NumberQueue {
  length = 0;
  #chunks: Int32Array[] = [];
  /** Chunks that were emptied. */
  #emptied = 0;
  /** Where the first number is in its chunk. */
  #first = 0;

  push(value: number): void {
    const at = this.#first + this.length++;
    const chunk = this.#emptied + Math.floor(at / CHUNK);
    if (chunk === this.#chunks.length) this.#chunks.push(new Int32Array(CHUNK));
    (this.#chunks[chunk] as Int32Array)[at % CHUNK] = value;
  }

  /** Takes the first number; there must be one. */
  shift(): number {
    const chunk = this.#chunks[this.#emptied] as Int32Array;
    const value = chunk[this.#first++] as number;
    if (--this.length === 0) {
      // One chunk is kept for what comes next.
      if (this.#chunks.length > 1) this.#chunks = [chunk];
      this.#emptied = this.#first = 0;
    } else if (this.#first === CHUNK) {
      delete this.#chunks[this.#emptied++];
      this.#first = 0;
    }
    return value;
  }

  clear(): void {
    if (this.length === 0) return;
    this.length = 0;
    this.#chunks.length = Math.min(1, this.#chunks.length);
    if (this.#emptied > 0) this.#chunks = [];
    this.#emptied = this.#first = 0;
  }
}
