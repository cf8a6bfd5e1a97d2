/** Token ids of a part of a corpus end to end, in two bytes each where the vocabulary allows. */
export class TokenArena {
  #ids: Uint16Array | Int32Array;
  /** [tokens]: whether no character lies between a token and the one before it. */
  #isJoined = new Uint8Array(1 << 12);
  #length = 0;

  constructor(vocabSize: number) {
    this.#ids = vocabSize <= 1 << 16 ? new Uint16Array(1 << 12) : new Int32Array(1 << 12);
  }

  get length(): number {
    return this.#length;
  }

  /** Adds the tokens of a text; `offsets` [2 · tokens]. */
  add(ids: Int32Array, offsets: Int32Array): void {
    const end = this.#length + ids.length;
    if (end > this.#ids.length) this.#grow(Math.max(end, 2 * this.#ids.length));
    this.#ids.set(ids, this.#length);
    for (let i = 1; i < ids.length; i++) this.#isJoined[this.#length + i] = offsets[2 * i] === offsets[2 * i - 1] ? 1 : 0;
    this.#length = end;
  }

  /** Ids of tokens begin .. end; a view, until tokens are added or forgotten. */
  ids(begin: number, end: number): Uint16Array | Int32Array {
    return this.#ids.subarray(begin, end);
  }

  /** [end - begin]: 1 where no character lies between a token and the one before it; a view as `ids`. */
  isJoined(begin: number, end: number): Uint8Array {
    return this.#isJoined.subarray(begin, end);
  }

  /** Forgets the first tokens; the others move to the start. */
  forget(count: number): void {
    this.#ids.copyWithin(0, count, this.#length);
    this.#isJoined.copyWithin(0, count, this.#length);
    this.#isJoined.fill(0, this.#length - count, this.#length);
    this.#length -= count;
  }

  #grow(capacity: number): void {
    const ids = this.#ids.BYTES_PER_ELEMENT === 2 ? new Uint16Array(capacity) : new Int32Array(capacity);
    ids.set(this.#ids.subarray(0, this.#length));
    const isJoined = new Uint8Array(capacity);
    isJoined.set(this.#isJoined.subarray(0, this.#length));
    this.#ids = ids;
    this.#isJoined = isJoined;
  }
}
