import type { AddedTokenMatch } from './added-tokens.js';
import { scalarAt, unitLength } from './normalizer.js';
import { whitespace } from './unicode.js';

/** How RobertaProcessing leaves white space at the ends of tokens out of their offsets. */
export interface TrimOffsets {
  readonly addPrefixSpace: boolean;
  /** Tokens by id that begin or end with white space or "Ġ". */
  readonly tokens: ReadonlyMap<number, { readonly leading: number; readonly trailing: number }>;
}

const FIRST_CAPACITY = 256;
const LARGEST_KEPT_CAPACITY = 1 << 16;

/** The tokens of one text, in buffers that the next text reuses. */
export class TokenBuffer {
  /** [count] */
  ids = new Int32Array(FIRST_CAPACITY);
  /** [count]: index of the token's word; an added token is a word. */
  wordIds = new Int32Array(FIRST_CAPACITY);
  /** [2 * count]: start and end in UTF-16 units of the text; only with `withOffsets`. */
  offsets = new Int32Array(0);
  count = 0;
  readonly #trimOffsets: TrimOffsets | undefined;
  #text = '';
  #maxTokens = 0;
  #withOffsets = false;

  constructor(trimOffsets: TrimOffsets | undefined) {
    this.#trimOffsets = trimOffsets;
  }

  /** Starts empty. Tokens beyond `maxTokens` are dropped. */
  begin(text: string, maxTokens: number, withOffsets: boolean): void {
    this.#text = text;
    this.#maxTokens = maxTokens;
    this.#withOffsets = withOffsets;
    this.count = 0;
    if (withOffsets && this.offsets.length < 2 * this.ids.length) this.offsets = new Int32Array(2 * this.ids.length);
  }

  /** Lets go of the text, and of buffers that only a long one needs. */
  end(): void {
    this.#text = '';
    if (this.ids.length <= LARGEST_KEPT_CAPACITY) return;
    this.ids = new Int32Array(FIRST_CAPACITY);
    this.wordIds = new Int32Array(FIRST_CAPACITY);
    this.offsets = new Int32Array(0);
  }

  /** A token whose first and last characters begin at `first` and `last`. */
  push(id: number, wordIndex: number, first: number, last: number): void {
    const at = this.count;
    if (at >= this.#maxTokens) return;
    if (at === this.ids.length) this.#grow();
    this.ids[at] = id;
    this.wordIds[at] = wordIndex;
    this.count = at + 1;
    if (!this.#withOffsets) return;
    this.offsets[2 * at] = first;
    this.offsets[2 * at + 1] = last + unitLength(scalarAt(this.#text, last));
    const space = this.#trimOffsets?.tokens.get(id);
    if (space !== undefined) this.#trim(at, space.leading, space.trailing);
  }

  /** An added token; `matched` is what it was found as, if that is not the text itself. */
  pushMatch({ token, start, end }: AddedTokenMatch, wordIndex: number, matched?: string): void {
    const at = this.count;
    if (at >= this.#maxTokens) return;
    if (at === this.ids.length) this.#grow();
    this.ids[at] = token.id;
    this.wordIds[at] = wordIndex;
    this.count = at + 1;
    if (!this.#withOffsets) return;
    this.offsets[2 * at] = start;
    this.offsets[2 * at + 1] = end;
    if (this.#trimOffsets === undefined) return;
    const { leading, trailing } = outerSpace(matched ?? this.#text.slice(start, end));
    this.#trim(at, leading, trailing);
  }

  /** Takes characters off both ends of a token's offsets. As in the reference these are counted in the token, not in its text. */
  #trim(at: number, leading: number, trailing: number): void {
    const { offsets } = this;
    const text = this.#text;
    let start = offsets[2 * at] as number;
    let end = offsets[2 * at + 1] as number;
    // A single space at the start may be the prefix space, which is not in the text.
    const isPrefix = leading === 1 && (at === 0 || start === 0) && this.#trimOffsets?.addPrefixSpace === true;
    for (let k = isPrefix ? leading : 0; k < leading && start < end; k++) start += unitLength(scalarAt(text, start));
    for (let k = 0; k < trailing && end > start; k++) end -= (text.charCodeAt(end - 1) & 0xfc00) === 0xdc00 && end - 2 >= start ? 2 : 1;
    offsets[2 * at] = start;
    offsets[2 * at + 1] = end;
  }

  #grow(): void {
    const capacity = this.ids.length * 2;
    this.ids = grown(this.ids, capacity);
    this.wordIds = grown(this.wordIds, capacity);
    if (this.#withOffsets) this.offsets = grown(this.offsets, 2 * capacity);
  }
}

function grown(from: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length);
  to.set(from);
  return to;
}

/** How many characters of white space, or "Ġ", which stands for it, a token begins and ends with. */
export function outerSpace(token: string): { leading: number; trailing: number } {
  const isSpace = (index: number) => token[index] === '\u0120' || whitespace.has(token.charCodeAt(index));
  let leading = 0;
  while (leading < token.length && isSpace(leading)) leading++;
  let trailing = 0;
  while (trailing < token.length && isSpace(token.length - 1 - trailing)) trailing++;
  return { leading, trailing };
}
