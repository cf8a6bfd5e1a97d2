import { countSpecial, type TemplatePiece } from './definition/template.js';

/** The token of an id; `undefined` where it has none. */
export type IdToToken = (id: number) => string | undefined;

/** A text as ids only, for the way to a model. */
export interface EncodedIds {
  /** [tokens] */
  readonly ids: Int32Array;
  /** [tokens], where the template gives other types than 0. */
  readonly typeIds?: Int32Array;
  /** Whether tokens were left out to keep to the length limit. */
  readonly truncated: boolean;
}

/** Where the parts of an `Encoding` are: the template, the tokens of each text, the padding. */
export interface EncodingLayout {
  readonly pieces: readonly TemplatePiece[];
  /** Tokens of the first and the second text. */
  readonly firstLength: number;
  readonly secondLength: number;
  /** Word indices of many encodings; those of this one's texts begin at `firstWords` and `secondWords`. */
  readonly words: Int32Array;
  readonly firstWords: number;
  readonly secondWords: number;
  readonly padLeft: number;
  readonly padRight: number;
  readonly idToToken: IdToToken;
}

interface Derived {
  typeIds?: Int32Array;
  attentionMask?: Int32Array;
  specialTokensMask?: Int32Array;
  tokens?: readonly string[];
  wordIds?: readonly (number | null)[];
  sequenceIds?: readonly (number | null)[];
}

/** One text, or pair of texts, as tokens. All arrays have one entry a token; all but `ids` and `offsets` are made when first read. */
export class Encoding {
  /** `[tokens]`: rows of the model's embedding table. */
  readonly ids: Int32Array;
  /**
   * [tokens, 2], or null if not asked for: where each token begins and ends in its text, in UTF-16 units, so that
   * `text.slice(start, end)` is what the token was made from. Special tokens and padding: 0, 0.
   */
  readonly offsets: Int32Array | null;
  /** Whether tokens were left out to keep to the length limit. */
  readonly truncated: boolean;
  /** The windows that were left out, in order; see the encode option `overflow`. */
  readonly overflowing: readonly Encoding[];
  readonly #layout: EncodingLayout;
  #derived: Derived | undefined;

  /** @internal */
  constructor(ids: Int32Array, offsets: Int32Array | null, truncated: boolean, overflowing: readonly Encoding[], layout: EncodingLayout) {
    this.ids = ids;
    this.offsets = offsets;
    this.truncated = truncated;
    this.overflowing = overflowing;
    this.#layout = layout;
  }

  /** The number of tokens. */
  get length(): number {
    return this.ids.length;
  }

  /** `[tokens]`: 0 or, for the second of a pair in most models, 1. Padding: 0. */
  get typeIds(): Int32Array {
    return (this.#cache.typeIds ??= this.#fill((piece) => piece?.typeId ?? 0));
  }

  /** `[tokens]`: 0 for padding, else 1. */
  get attentionMask(): Int32Array {
    return (this.#cache.attentionMask ??= this.#fill((piece) => (piece === undefined ? 0 : 1)));
  }

  /** `[tokens]`: 1 for the tokens that the template or padding added, else 0. A "[SEP]" that the text itself contains counts 0. */
  get specialTokensMask(): Int32Array {
    return (this.#cache.specialTokensMask ??= this.#fill((piece) => (piece?.kind === 'sequence' ? 0 : 1)));
  }

  /** `[tokens]`: the tokens as the vocabulary spells them. */
  get tokens(): readonly string[] {
    return (this.#cache.tokens ??= Array.from(this.ids, (id) => this.#layout.idToToken(id) ?? ''));
  }

  /** `[tokens]`: which word of its text a token belongs to, counted from 0; a punctuation mark is a word. null: special or padding. */
  get wordIds(): readonly (number | null)[] {
    if (this.#cache.wordIds !== undefined) return this.#cache.wordIds;
    const { words, firstWords, secondWords } = this.#layout;
    const wordIds = new Array<number | null>(this.ids.length).fill(null);
    this.#forEachRun((piece, start, length) => {
      if (piece?.kind !== 'sequence') return;
      const from = piece.sequence === 0 ? firstWords : secondWords;
      for (let k = 0; k < length; k++) wordIds[start + k] = words[from + k] as number;
    });
    return (this.#cache.wordIds = wordIds);
  }

  /** `[tokens]`: 0 for the first text, 1 for the second, null for special tokens and padding. */
  get sequenceIds(): readonly (number | null)[] {
    if (this.#cache.sequenceIds !== undefined) return this.#cache.sequenceIds;
    const sequenceIds = new Array<number | null>(this.ids.length).fill(null);
    this.#forEachRun((piece, start, length) => {
      if (piece?.kind === 'sequence') sequenceIds.fill(piece.sequence, start, start + length);
    });
    return (this.#cache.sequenceIds = sequenceIds);
  }

  /** This encoding with other windows as its overflow. */
  withOverflow(overflowing: readonly Encoding[]): Encoding {
    return new Encoding(this.ids, this.offsets, this.truncated, overflowing, this.#layout);
  }

  /** This encoding, and its overflow, filled up with `padId` to `length` tokens; itself if there is nothing to fill up. */
  padded(length: number, padId: number, side: 'left' | 'right'): Encoding {
    const overflowing = this.overflowing.map((window) => window.padded(length, padId, side));
    const added = Math.max(0, length - this.ids.length);
    if (added === 0 && overflowing.every((window, i) => window === this.overflowing[i])) return this;
    const shift = side === 'left' ? added : 0;
    const ids = new Int32Array(this.ids.length + added).fill(padId);
    ids.set(this.ids, shift);
    const offsets = this.offsets && new Int32Array(2 * ids.length);
    if (this.offsets !== null) offsets?.set(this.offsets, 2 * shift);
    const { padLeft, padRight } = this.#layout;
    const layout = { ...this.#layout, padLeft: padLeft + shift, padRight: padRight + added - shift };
    return new Encoding(ids, offsets, this.truncated, overflowing, layout);
  }

  get #cache(): Derived {
    return (this.#derived ??= {});
  }

  /** Calls `visit` for every run of tokens of one origin; padding has no piece. */
  #forEachRun(visit: (piece: TemplatePiece | undefined, start: number, length: number) => void): void {
    const { pieces, firstLength, secondLength, padLeft, padRight } = this.#layout;
    visit(undefined, 0, padLeft);
    let at = padLeft;
    for (const piece of pieces) {
      const length = pieceLength(piece, firstLength, secondLength);
      visit(piece, at, length);
      at += length;
    }
    visit(undefined, at, padRight);
  }

  #fill(valueOf: (piece: TemplatePiece | undefined) => number): Int32Array {
    const values = new Int32Array(this.ids.length);
    this.#forEachRun((piece, start, length) => {
      const value = valueOf(piece);
      if (value !== 0) values.fill(value, start, start + length);
    });
    return values;
  }
}

function pieceLength(piece: TemplatePiece, firstLength: number, secondLength: number): number {
  if (piece.kind === 'special') return 1;
  return piece.sequence === 0 ? firstLength : secondLength;
}

/** The tokens of a template around texts of these lengths. */
export function templateLength(pieces: readonly TemplatePiece[], firstLength: number, secondLength: number): number {
  let length = countSpecial(pieces);
  for (const piece of pieces) if (piece.kind === 'sequence') length += pieceLength(piece, firstLength, secondLength);
  return length;
}
