/** Where the word indices of encodings lie: in one array for many, as objects cost more than what is in them. */
export class WordArena {
  words = new Int32Array(0);
  #used = 0;
  /** Larger arrays serve more encodings, but live as long as any of them. */
  readonly chunk: number;

  constructor(chunk: number) {
    this.chunk = chunk;
  }

  /** Makes room for `length` indices in `words`; returns where. */
  reserve(length: number): number {
    if (this.#used + length > this.words.length) {
      this.words = new Int32Array(Math.max(length, this.chunk));
      this.#used = 0;
    }
    this.#used += length;
    return this.#used - length;
  }
}
