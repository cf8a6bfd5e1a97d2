import { BerthaError } from '../errors.js';
import { type EncodeSettings, roomFor } from './encode-options.js';
import { Encoding, type IdToToken, templateLength } from './encoding.js';
import { type Pipeline, SequenceEncoder } from './sequence-encoder.js';
import type { TemplatePiece } from './template.js';
import { keptLengths, type Window, windows } from './truncation.js';

const NO_WINDOW: Window = [0, 0];
const NO_OVERFLOW: readonly Encoding[] = [];

/** Where the word indices of encodings lie: in one array for many, as objects cost more than what is in them. */
class WordArena {
  words = new Int32Array(0);
  #used = 0;
  /** Larger arrays serve more encodings, but live as long as any of them. */
  readonly #chunk: number;

  constructor(chunk: number) {
    this.#chunk = chunk;
  }

  /** Makes room for `length` indices in `words`; returns where. */
  reserve(length: number): number {
    if (this.#used + length > this.words.length) {
      this.words = new Int32Array(Math.max(length, this.#chunk));
      this.#used = 0;
    }
    this.#used += length;
    return this.#used - length;
  }
}

/** Turns texts, or pairs, into encodings one after the other: `begin`, `run` until it returns true, `finish`. */
export class EncodingTask {
  readonly #encoders: readonly [SequenceEncoder, SequenceEncoder];
  readonly #idToToken: IdToToken;
  #settings!: EncodeSettings;
  #arena = new WordArena(0);
  #texts: readonly string[] = [];
  #pieces: readonly TemplatePiece[] = [];
  /** Tokens of the texts that fit; Infinity without truncation. */
  #room = 0;
  #done = 0;

  constructor(pipeline: Pipeline, idToToken: IdToToken) {
    this.#encoders = [new SequenceEncoder(pipeline), new SequenceEncoder(pipeline)];
    this.#idToToken = idToToken;
  }

  /** What holds for all texts until the next call. `chunk`: how many word indices share an array. */
  configure(settings: EncodeSettings, chunk: number): void {
    this.#settings = settings;
    this.#arena = new WordArena(chunk);
  }

  /** Starts with one text or two. Errors: MAX_LENGTH, INVALID_ARG. */
  begin(texts: readonly string[]): void {
    const { truncation, maxLength, single, pairs } = this.#settings;
    this.#texts = texts;
    this.#pieces = texts.length === 2 ? pairs : single;
    if (truncation === 'only_second' && texts.length === 1) {
      throw new BerthaError('INVALID_ARG', 'Expected a pair for truncation "only_second" but received one text.');
    }
    this.#room = truncation === undefined ? Infinity : roomFor(this.#pieces, maxLength as number);
    this.#done = 0;
    this.#beginEncoders(this.#tokenLimit());
  }

  /** Reads about `maxUnits` more UTF-16 units; true when `finish` can be called. */
  run(maxUnits: number): boolean {
    const encoder = this.#encoders[this.#done as 0 | 1];
    if (this.#done < this.#texts.length && encoder.run(maxUnits)) this.#done++;
    return this.#done === this.#texts.length;
  }

  /** The result, not padded. Errors: MAX_LENGTH, INVALID_ARG (a stride that leaves no step). */
  finish(): Encoding {
    const { truncation } = this.#settings;
    const [first, second] = this.#encoders;
    const encoding =
      truncation === undefined
        ? this.#build([0, first.tokens.count], this.#texts.length === 2 ? [0, second.tokens.count] : NO_WINDOW, false, NO_OVERFLOW)
        : this.#truncate(truncation);
    first.end();
    second.end();
    this.#texts = [];
    return encoding;
  }

  #truncate(strategy: NonNullable<EncodeSettings['truncation']>): Encoding {
    const { truncationSide: side, stride, overflow } = this.#settings;
    const [first, second] = this.#encoders;
    const isPair = this.#texts.length === 2;
    // When both texts are too long and the room is odd, the longer one gets the odd token: only then their full lengths matter.
    if (
      isPair &&
      strategy === 'longest_first' &&
      this.#room % 2 === 1 &&
      first.tokens.count > this.#room &&
      second.tokens.count > this.#room
    ) {
      this.#beginEncoders(Infinity);
      first.run(Infinity);
      second.run(Infinity);
    }
    const [firstKept, secondKept] = keptLengths(first.tokens.count, isPair ? second.tokens.count : undefined, this.#room, strategy);
    const isCut = first.tokens.count > firstKept || (isPair && second.tokens.count > secondKept);
    if (!isCut || !overflow) {
      return this.#build(
        keptWindow(first.tokens.count, firstKept, side),
        isPair ? keptWindow(second.tokens.count, secondKept, side) : NO_WINDOW,
        isCut,
        NO_OVERFLOW,
      );
    }
    const windowsOf = (count: number, kept: number): Window[] => {
      if (count > kept && kept > 0 && stride >= kept) {
        throw new BerthaError(
          'INVALID_ARG',
          `Expected a stride below ${kept}, the tokens of the text in a window, but received ${stride}.`,
        );
      }
      return windows(count, kept, stride, side);
    };
    const [firstWindow = NO_WINDOW, ...firstRest] = windowsOf(first.tokens.count, firstKept);
    const [secondWindow = NO_WINDOW, ...secondRest] = isPair ? windowsOf(second.tokens.count, secondKept) : [];
    const overflowing: Encoding[] = [];
    for (const window of firstRest) {
      for (const other of [secondWindow, ...secondRest]) overflowing.push(this.#build(window, other, true, NO_OVERFLOW));
    }
    for (const other of secondRest) overflowing.push(this.#build(firstWindow, other, true, NO_OVERFLOW));
    return this.#build(firstWindow, secondWindow, true, overflowing);
  }

  #beginEncoders(maxTokens: number): void {
    const { offsets, splitSpecialTokens } = this.#settings;
    this.#encoders[0].begin(this.#texts[0] as string, maxTokens, offsets, splitSpecialTokens);
    if (this.#texts.length === 2) this.#encoders[1].begin(this.#texts[1] as string, maxTokens, offsets, splitSpecialTokens);
  }

  /** How many tokens of a text decide about the result: one more than fit tells that it was cut. */
  #tokenLimit(): number {
    const { truncation, truncationSide, overflow } = this.#settings;
    return truncation === undefined || truncationSide === 'left' || overflow ? Infinity : this.#room + 1;
  }

  #build(first: Window, second: Window, truncated: boolean, overflowing: readonly Encoding[]): Encoding {
    const pieces = this.#pieces;
    const firstLength = first[1] - first[0];
    const secondLength = second[1] - second[0];
    const ids = new Int32Array(templateLength(pieces, firstLength, secondLength));
    const offsets = this.#settings.offsets ? new Int32Array(2 * ids.length) : null;
    let at = 0;
    for (const piece of pieces) {
      if (piece.kind === 'special') {
        ids[at++] = piece.id;
        continue;
      }
      const [start, end] = piece.sequence === 0 ? first : second;
      const encoder = this.#encoders[piece.sequence];
      copy(encoder.tokens.ids, start, end, ids, at);
      if (offsets !== null) copy(encoder.tokens.offsets, 2 * start, 2 * end, offsets, 2 * at);
      at += end - start;
    }
    const arena = this.#arena;
    const needed = firstLength + secondLength;
    const firstWords = arena.reserve(needed);
    copy(this.#encoders[0].tokens.wordIds, first[0], first[1], arena.words, firstWords);
    copy(this.#encoders[1].tokens.wordIds, second[0], second[1], arena.words, firstWords + firstLength);
    const layout = {
      pieces,
      firstLength,
      secondLength,
      words: arena.words,
      firstWords,
      secondWords: firstWords + firstLength,
      padLeft: 0,
      padRight: 0,
      idToToken: this.#idToToken,
    };
    return new Encoding(ids, offsets, truncated, overflowing, layout);
  }
}

/** to[at…] = from[start..end): for few elements faster than `set`. */
function copy(from: Int32Array, start: number, end: number, to: Int32Array, at: number): void {
  if (end - start > 256) to.set(from.subarray(start, end), at);
  else for (let k = start; k < end; k++) to[at + k - start] = from[k] as number;
}

function keptWindow(count: number, kept: number, side: 'left' | 'right'): Window {
  return side === 'right' ? [0, Math.min(kept, count)] : [Math.max(0, count - kept), count];
}
