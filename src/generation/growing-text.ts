import type { Tokenizer } from '../tokenizer/index.js';

/**
 * Characters at the end of a text that what follows may still change. The tokenizer's clean-up joins "do n ' t" to "don't", so that the space before
 * the "n" goes with the "t": five at most. A character of which bytes are missing is U+FFFD, three times at most.
 */
const unsettled = 8;

/** A token that is one byte of a character. */
const byteToken = /^<0x[0-9A-Fa-f]{2}>$/;

/** A text that grows id by id: what of it can no longer change, and whether it has met one of the texts that end it. */
export class GrowingText {
  readonly #tokenizer: Tokenizer;
  readonly #stop: readonly string[];
  readonly #ids: number[] = [];
  #text = '';
  #isStopped = false;

  constructor(tokenizer: Tokenizer, stop: readonly string[]) {
    this.#tokenizer = tokenizer;
    this.#stop = stop;
  }

  /** The new ids, the one that completed a stop text included. */
  get ids(): readonly number[] {
    return this.#ids;
  }

  /** All of it, without special tokens; cut before the stop text that ended it. */
  get text(): string {
    return this.#text;
  }

  /** Whether it has met a stop text. Ids that are added then change nothing. */
  get isStopped(): boolean {
    return this.#isStopped;
  }

  add(ids: readonly number[]): void {
    for (const id of ids) {
      if (this.#isStopped) return;
      this.#ids.push(id);
      if (this.#stop.length > 0) this.#read();
    }
    if (this.#stop.length === 0) this.#read();
  }

  /** How much of the text stays as it is, whatever follows. */
  get settledLength(): number {
    if (this.#isStopped) return this.#text.length;
    const bytes = this.#trailingBytes();
    const settled = bytes === 0 ? this.#text : this.#decode(this.#ids.slice(0, -bytes));
    let length = settled.length - unsettled;
    while (length > 0 && isInsidePair(settled, length)) length--;
    return Math.max(0, Math.min(length, this.#beginOfStop()));
  }

  #read(): void {
    this.#text = this.#decode(this.#ids);
    const found = this.#stop.map((stop) => this.#text.indexOf(stop)).filter((at) => at >= 0);
    if (found.length === 0) return;
    this.#isStopped = true;
    this.#text = this.#text.slice(0, Math.min(...found));
  }

  #decode(ids: readonly number[]): string {
    return this.#tokenizer.decode(ids, { skipSpecialTokens: true });
  }

  /** Bytes make characters together: a run of them may become another text with its next one. */
  #trailingBytes(): number {
    let count = 0;
    while (count < this.#ids.length && byteToken.test(this.#tokenizer.idToToken(this.#ids.at(-1 - count)!) ?? '')) count++;
    return count;
  }

  /** Where a stop text may have begun. */
  #beginOfStop(): number {
    const text = this.#text;
    const longest = Math.max(0, ...this.#stop.map(({ length }) => length)) - 1;
    for (let at = Math.max(0, text.length - longest); at < text.length; at++) {
      if (this.#stop.some((stop) => stop.startsWith(text.slice(at)))) return at;
    }
    return text.length;
  }
}

/** Whether a cut there would halve a character of two UTF-16 units. */
function isInsidePair(text: string, at: number): boolean {
  return text.codePointAt(at - 1)! > 0xffff;
}
