/** A run of tokens of one origin. `source`: 0 or 1 = that text, 'special' = the template's tokens, 'padding'. */
export interface TokenRun {
  readonly source: 0 | 1 | 'special' | 'padding';
  readonly length: number;
  readonly typeId: number;
  /** [length]: index of each token's word in its text; absent for special tokens and padding. */
  readonly wordIds?: Int32Array;
}

/** What an `Encoding` is made of. */
export interface EncodingParts {
  readonly ids: Int32Array;
  readonly offsets: Int32Array | null;
  readonly runs: readonly TokenRun[];
  readonly truncated: boolean;
  readonly overflowing: readonly Encoding[];
  readonly idToToken: (id: number) => string | undefined;
}

/** One text, or pair of texts, as tokens. All arrays have one entry a token; all but `ids` and `offsets` are made when first read. */
export class Encoding {
  /** [tokens]: rows of the model's embedding table. */
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
  readonly #runs: readonly TokenRun[];
  readonly #idToToken: (id: number) => string | undefined;
  #typeIds: Int32Array | undefined;
  #attentionMask: Int32Array | undefined;
  #specialTokensMask: Int32Array | undefined;
  #tokens: readonly string[] | undefined;
  #wordIds: readonly (number | null)[] | undefined;
  #sequenceIds: readonly (number | null)[] | undefined;

  /** @internal */
  constructor({ ids, offsets, runs, truncated, overflowing, idToToken }: EncodingParts) {
    this.ids = ids;
    this.offsets = offsets;
    this.truncated = truncated;
    this.overflowing = overflowing;
    this.#runs = runs;
    this.#idToToken = idToToken;
  }

  /** The number of tokens. */
  get length(): number {
    return this.ids.length;
  }

  /** [tokens]: 0 or, for the second of a pair in most models, 1. Padding: 0. */
  get typeIds(): Int32Array {
    return (this.#typeIds ??= this.#fill((run) => run.typeId));
  }

  /** [tokens]: 0 for padding, else 1. */
  get attentionMask(): Int32Array {
    return (this.#attentionMask ??= this.#fill((run) => (run.source === 'padding' ? 0 : 1)));
  }

  /** [tokens]: 1 for the tokens that the template or padding added, else 0. A "[SEP]" that the text itself contains counts 0. */
  get specialTokensMask(): Int32Array {
    return (this.#specialTokensMask ??= this.#fill((run) => (typeof run.source === 'number' ? 0 : 1)));
  }

  /** [tokens]: the tokens as the vocabulary spells them. */
  get tokens(): readonly string[] {
    return (this.#tokens ??= Array.from(this.ids, (id) => this.#idToToken(id) ?? ''));
  }

  /** [tokens]: which word of its text a token belongs to, counted from 0; a punctuation mark is a word. null: special or padding. */
  get wordIds(): readonly (number | null)[] {
    return (this.#wordIds ??= this.#runs.flatMap((run) => {
      return run.wordIds === undefined ? new Array<null>(run.length).fill(null) : Array.from(run.wordIds);
    }));
  }

  /** [tokens]: 0 for the first text, 1 for the second, null for special tokens and padding. */
  get sequenceIds(): readonly (number | null)[] {
    return (this.#sequenceIds ??= this.#runs.flatMap((run) => {
      return new Array<number | null>(run.length).fill(typeof run.source === 'number' ? run.source : null);
    }));
  }

  /** This encoding, and its overflow, filled up with `padId` to `length` tokens; itself if there is nothing to fill up. */
  padded(length: number, padId: number, side: 'left' | 'right'): Encoding {
    const overflowing = this.overflowing.map((window) => window.padded(length, padId, side));
    const missing = length - this.ids.length;
    if (missing <= 0 && overflowing.every((window, i) => window === this.overflowing[i])) return this;
    const added = Math.max(0, missing);
    const shift = side === 'left' ? added : 0;
    const ids = new Int32Array(this.ids.length + added).fill(padId);
    ids.set(this.ids, shift);
    const offsets = this.offsets && new Int32Array(2 * ids.length);
    if (this.offsets !== null) offsets?.set(this.offsets, 2 * shift);
    const padding: TokenRun[] = added > 0 ? [{ source: 'padding', length: added, typeId: 0 }] : [];
    const runs = side === 'left' ? [...padding, ...this.#runs] : [...this.#runs, ...padding];
    return new Encoding({ ids, offsets, runs, overflowing, truncated: this.truncated, idToToken: this.#idToToken });
  }

  #fill(valueOf: (run: TokenRun) => number): Int32Array {
    const values = new Int32Array(this.ids.length);
    let at = 0;
    for (const run of this.#runs) {
      const value = valueOf(run);
      if (value !== 0) values.fill(value, at, at + run.length);
      at += run.length;
    }
    return values;
  }
}
