import { scalarAt, unitLength } from '../unicode/scalar.js';
import type { TextWindow } from './text-window.js';
import { whitespace } from '../unicode/characters.js';

/** White space, or "Ġ", which stands for it, at the ends of a token: numbers of characters. */
export interface OuterSpace {
  readonly leading: number;
  readonly trailing: number;
}

/** How RobertaProcessing leaves white space at the ends of tokens out of their offsets. */
export interface TrimOffsets {
  readonly addPrefixSpace: boolean;
  /** Tokens by id that begin or end with white space or "Ġ". */
  readonly tokens: ReadonlyMap<number, OuterSpace>;
}

const FIRST_CAPACITY = 256;
const LARGEST_KEPT_CAPACITY = 1 << 16;

/** The tokens of one text, in buffers that the next text reuses. */
export class TokenBuffer {
  /** [count], less those that are not kept. */
  ids = new Int32Array(FIRST_CAPACITY);
  /** [count]: index of the token's word; an added token is a word. */
  wordIds = new Int32Array(FIRST_CAPACITY);
  /** [2 * count]: start and end in UTF-16 units of the prepared text; only with `withOffsets`. */
  offsets = new Int32Array(0);
  count = 0;
  /** So many tokens are enough. */
  maxTokens = 0;
  /** Whether words have ended whose tokens are not known yet: nothing more is to be read before. */
  isHeld = false;
  withOffsets = false;
  readonly #trimOffsets: TrimOffsets | undefined;
  #text: TextWindow | undefined;
  #keptTokens = 0;
  /** Places of tokens whose single space at the start was left out, which they keep where they are the first. */
  readonly #spaced = new Set<number>();

  constructor(trimOffsets: TrimOffsets | undefined) {
    this.#trimOffsets = trimOffsets;
  }

  /** Whether offsets leave white space out. */
  get trims(): boolean {
    return this.#trimOffsets !== undefined && this.withOffsets;
  }

  /** Whether reading is to stop. */
  get isFull(): boolean {
    return this.isHeld || this.count >= this.maxTokens;
  }

  /** Starts empty. The first `maxTokens` tokens are kept, further ones are only counted. */
  begin(text: TextWindow, maxTokens: number, withOffsets: boolean): void {
    this.#text = text;
    this.maxTokens = this.#keptTokens = maxTokens;
    this.withOffsets = withOffsets;
    this.count = 0;
    this.#spaced.clear();
    if (withOffsets && this.offsets.length < 2 * this.ids.length) this.offsets = new Int32Array(2 * this.ids.length);
  }

  /** Starts again, for the same text. */
  clear(): void {
    this.count = 0;
    this.#spaced.clear();
  }

  /** Lets go of the text, and of buffers that only a long one needs. */
  end(): void {
    this.#text = undefined;
    if (this.ids.length <= LARGEST_KEPT_CAPACITY) return;
    this.ids = new Int32Array(FIRST_CAPACITY);
    this.wordIds = new Int32Array(FIRST_CAPACITY);
    this.offsets = new Int32Array(0);
  }

  /** A token that is told its offsets by `place`. Returns its place, or -1 if it is not kept. */
  add(id: number, wordIndex: number): number {
    const at = this.count++;
    if (at >= this.#keptTokens) return -1;
    if (at === this.ids.length) this.#grow();
    this.ids[at] = id;
    this.wordIds[at] = wordIndex;
    return at;
  }

  /** White space at the ends of a token of the vocabulary that offsets leave out. */
  spaceOf(id: number): OuterSpace | undefined {
    return this.#trimOffsets?.tokens.get(id);
  }

  /** Sets the offsets of the token at `at`, less the white space at its ends where that is to be left out; only with `withOffsets`. */
  place(at: number, start: number, end: number, space: OuterSpace | undefined): void {
    this.offsets[2 * at] = start;
    this.offsets[2 * at + 1] = end;
    if (this.trims && space !== undefined) this.#trim(at, space);
  }

  /**
   * The offsets at `to` of `offsets`, those of the token at `at`, become those of the first token of a window: as in the reference its
   * single space at the start is taken for the prefix space, though it stands in the text.
   */
  beginWindow(at: number, offsets: Int32Array, to: number): void {
    if (!this.#spaced.has(at)) return;
    if (offsets[to] === offsets[to + 1]) offsets[to + 1] = (offsets[to + 1] as number) - 1;
    offsets[to] = (offsets[to] as number) - 1;
  }

  /** Takes characters off both ends of a token's offsets. As in the reference these are counted in the token, not in its text. */
  #trim(at: number, { leading, trailing }: OuterSpace): void {
    const { offsets } = this;
    // What a moving window has left behind was white space: one unit each.
    const { text, start: base } = this.#text as TextWindow;
    let start = offsets[2 * at] as number;
    let end = offsets[2 * at + 1] as number;
    // A single space at the start may be the prefix space, which is not in the text.
    const isSpaced = leading === 1 && this.#trimOffsets?.addPrefixSpace === true;
    const isPrefix = isSpaced && (at === 0 || start === 0);
    if (isSpaced && !isPrefix && start < end) this.#spaced.add(at);
    for (let k = isPrefix ? leading : 0; k < leading && start < end; k++) start += isPairAt(text, start - base) ? 2 : 1;
    for (let k = 0; k < trailing && end > start; k++)
      end -= (text.charCodeAt(end - 1 - base) & 0xfc00) === 0xdc00 && end - 2 >= start ? 2 : 1;
    offsets[2 * at] = start;
    offsets[2 * at + 1] = end;
  }

  #grow(): void {
    const capacity = this.ids.length * 2;
    this.ids = grown(this.ids, capacity);
    this.wordIds = grown(this.wordIds, capacity);
    if (this.withOffsets) this.offsets = grown(this.offsets, 2 * capacity);
  }
}

function isPairAt(text: string, index: number): boolean {
  return (text.charCodeAt(index) & 0xfc00) === 0xd800 && unitLength(scalarAt(text, index)) === 2;
}

function grown(from: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length);
  to.set(from);
  return to;
}

/** Whether a unit is white space, or the character that stands for U+0020 in byte-level tokens. */
export function isOuterSpace(unit: number): boolean {
  return unit === 0x120 || unit === 0x20 || ((unit < 0x20 || unit > 0x7e) && whitespace.has(unit));
}

/** The white space at the ends of a token. */
export function outerSpace(token: string): OuterSpace {
  const isSpace = (index: number) => isOuterSpace(token.charCodeAt(index));
  let leading = 0;
  while (leading < token.length && isSpace(leading)) leading++;
  let trailing = 0;
  while (trailing < token.length && isSpace(token.length - 1 - trailing)) trailing++;
  return { leading, trailing };
}
