import { AddedTokenFinder } from './added/added-token-finder.js';
import { AddedTokenMatcher } from './added/added-tokens.js';
import { type CharacterTable, characterTable } from './character-table.js';
import { MOST_MARKS } from '../normalizers/marks.js';
import { fuseSteps, type NormalizerStep } from '../normalizers/steps.js';
import type { NormalizerOptions } from '../normalizers/options.js';
import { MetaspaceWords } from './metaspace-words.js';
import type { PreTokenizer } from './pre-tokenizer.js';
import { searchTable } from '../normalizers/stable-text.js';
import { NormalizingScanner } from './normalizing-scanner.js';
import { PatternScanner } from './patterns/pattern-scanner.js';
import { NormalizedPieces, type PieceReader, PlainPieces } from './piece-reader.js';
import type { Scanner } from './scanner.js';
import { TableScanner } from './table-scanner.js';
import { type Preparation, TextWindow } from './text-window.js';
import { TokenBuffer, type TrimOffsets } from './token-buffer.js';
import { WordBuffer } from './word-buffer.js';
import type { WordModel } from '../vocabulary/word-model.js';

/** What turns one text into tokens, without the template's special tokens. Shared by all encoders of a tokenizer. */
export interface Pipeline {
  readonly steps: readonly NormalizerStep[];
  /** Normalizer and pre-tokenizer at once, where that can be; else only the general way is left. */
  readonly fused: { readonly normalizer: NormalizerOptions; readonly table: CharacterTable } | undefined;
  readonly preTokenizer: PreTokenizer;
  /** [65536]: what text is searched for that is then read as it is (`searchTable`), where that can be. */
  readonly plainSearch: Uint8Array | undefined;
  readonly model: WordModel;
  /** Finds added tokens in the text. */
  readonly matcher: AddedTokenMatcher;
  /** Finds added tokens in normalized text. */
  readonly normalizedMatcher: AddedTokenMatcher | undefined;
  /** Leaves white space at the ends of a token out of its offsets, as RobertaProcessing does. */
  readonly trimOffsets: TrimOffsets | undefined;
}

/** More than any text has units or tokens: small integers are compared faster than Infinity. */
const NO_LIMIT = 1 << 30;
/** What a turn of `run` costs that reads no text. */
const STEP_COST = 1 << 12;
const AS_IT_IS = { steps: [], normalizer: fuseSteps([]) as NormalizerOptions };
const NO_TOKENS = new AddedTokenMatcher(new Map());

/** Tokenizes one text incrementally: `begin`, then `run` until it returns true. Results lie in buffers that the next `begin` reuses. */
export class SequenceEncoder {
  /** What has been produced so far. */
  readonly tokens: TokenBuffer;
  /** The text as it is read. */
  readonly window = new TextWindow();
  /** Whether the text was read to its end. */
  isAtEnd = false;
  readonly #pipeline: Pipeline;
  readonly #words: WordBuffer;
  readonly #finder: AddedTokenFinder;
  /** Reads text without making normalized text of it, as long as that can be; undefined where it never can. */
  readonly #fastScanner: Scanner | undefined;
  /** Reads everything; made on first use. */
  #normalizingScanner: NormalizingScanner | undefined;
  #scanner: Scanner;
  #splitSpecialTokens = false;
  /** Units that are looked ahead in search of added tokens. */
  readonly #lookahead: number;
  // While the window goes on: marks that belong together do not cross #readable; from there to #searched there are only marks.
  #readable = 0;
  #searched = 0;

  constructor(pipeline: Pipeline) {
    const { steps, fused, preTokenizer, model, matcher, normalizedMatcher, trimOffsets } = pipeline;
    this.#pipeline = pipeline;
    const tokens = (this.tokens = new TokenBuffer(trimOffsets));
    const { metaspace } = preTokenizer;
    const words = (this.#words =
      metaspace === undefined
        ? new WordBuffer(model, tokens, preTokenizer.cuts)
        : new MetaspaceWords(model, tokens, preTokenizer, metaspace));
    const finder = (this.#finder = new AddedTokenFinder(matcher, tokens));
    this.#lookahead = matcher.longest + 2;
    if (fused !== undefined && normalizedMatcher === undefined)
      this.#fastScanner = new TableScanner(fused.table, { steps, normalizer: fused.normalizer }, finder, words, tokens);
    else if (pipeline.plainSearch !== undefined) this.#fastScanner = this.#makePieceScanner(new PlainPieces(), pipeline.plainSearch);
    this.#scanner = this.#fastScanner ?? this.#generalScanner;
  }

  /** Starts with `text`. About `maxTokens` tokens are produced; the rest of the text is then not read. */
  begin(text: string, maxTokens: number, withOffsets: boolean, splitSpecialTokens: boolean, preparation?: Preparation): void {
    this.window.begin(text, preparation);
    this.isAtEnd = false;
    this.#readable = this.#searched = 0;
    this.tokens.begin(this.window, Math.min(maxTokens, NO_LIMIT) | 0, withOffsets);
    this.#words.begin();
    this.#splitSpecialTokens = splitSpecialTokens;
    this.#scanner = this.#fastScanner ?? this.#generalScanner;
    this.#scanner.begin(this.window, splitSpecialTokens);
    if (!this.window.isComplete) this.#extendReadable();
  }

  /** Lets go of the text, and of buffers that only a long one needs. */
  end(): void {
    this.window.end();
    this.tokens.end();
  }

  /** Reads about `maxUnits` more units; true when the text or the limit is reached. */
  run(maxUnits: number): boolean {
    for (let left = Math.min(maxUnits, NO_LIMIT) | 0; left > 0;) {
      const scanner = this.#scanner;
      if (this.#words.isBusy) {
        const steps = Math.min(left, STEP_COST);
        this.#words.work(steps);
        left -= steps;
        continue;
      }
      if (this.isAtEnd || this.#hasEnough()) return true;
      const { isComplete, text } = this.window;
      const limit = isComplete ? text.length : this.#readable;
      if (!scanner.isStarved(limit)) {
        left -= scanner.scan(Math.min(limit, scanner.position + left));
        if (scanner.hasGivenUp) this.#startOver();
      } else if (isComplete) {
        this.isAtEnd = scanner.finish();
        left -= STEP_COST;
      } else {
        this.#moveWindow();
        left -= STEP_COST;
      }
    }
    return !this.#words.isBusy && (this.isAtEnd || this.#hasEnough());
  }

  #hasEnough(): boolean {
    if (!this.tokens.isFull) return false;
    // What is dropped need not be read to its end.
    const open = this.#scanner.openToken;
    if (open >= 0 && open < this.tokens.maxTokens - 1) this.#scanner.closeToken();
    return true;
  }

  #moveWindow(): void {
    this.#scanner.settle();
    const dropped = this.window.advance(this.#scanner.keepFrom);
    this.#scanner.shift(dropped);
    this.#readable -= dropped;
    this.#searched -= dropped;
    if (!this.window.isComplete) this.#extendReadable();
  }

  /** Looks for the last character that begins something new. */
  #extendReadable(): void {
    const { text } = this.window;
    const end = text.length - this.#lookahead;
    let i = end;
    while (i > this.#searched && !this.#scanner.isBoundary(i)) i--;
    if (i > this.#searched) this.#readable = i;
    else if (end - this.#readable > MOST_MARKS) return this.#startOver();
    this.#searched = Math.max(this.#searched, end);
  }

  /** Reads the text again from its beginning, in the way that any text can be read. */
  #startOver(): void {
    this.window.rewind();
    this.#readable = this.#searched = 0;
    this.tokens.clear();
    this.#words.begin();
    this.#scanner = this.#generalScanner;
    this.#scanner.begin(this.window, this.#splitSpecialTokens);
    if (!this.window.isComplete) this.#extendReadable();
  }

  get #generalScanner(): NormalizingScanner {
    return (this.#normalizingScanner ??= this.#makeGeneralScanner());
  }

  #makeGeneralScanner(): NormalizingScanner {
    const { steps, matcher } = this.#pipeline;
    return this.#makePieceScanner(new NormalizedPieces(steps), searchTable([], matcher.firstUnits));
  }

  #makePieceScanner(pieces: PieceReader, search: Uint8Array): NormalizingScanner {
    const { preTokenizer, matcher, normalizedMatcher = NO_TOKENS } = this.#pipeline;
    const { tokens } = this;
    const words = this.#words;
    const tokenFinder = new AddedTokenFinder(normalizedMatcher, tokens);
    const scanner =
      preTokenizer.words === undefined
        ? new TableScanner(
            characterTable(AS_IT_IS.normalizer, normalizedMatcher.firstUnits, preTokenizer),
            AS_IT_IS,
            tokenFinder,
            words,
            tokens,
            normalizedMatcher.strips,
          )
        : new PatternScanner(
            preTokenizer.words,
            normalizedMatcher.firstUnits,
            preTokenizer,
            tokenFinder,
            words,
            tokens,
            normalizedMatcher.stripsLeft,
          );
    return new NormalizingScanner({ pieces, search, matcher, normalizedMatcher, finder: this.#finder, scanner, words, tokens });
  }
}
