import { unexpected } from '../expected.js';
import { type EncodeSettings, roomFor } from './encode-options.js';
import { type EncodedIds, Encoding, type IdToToken, templateLength } from './encoding.js';
import { type Pipeline, SequenceEncoder } from './scanning/sequence-encoder.js';
import type { TemplatePiece } from './definition/template.js';
import type { Preparation } from './scanning/text-window.js';
import { keptLengths, keptWindow, type Window, windows } from './definition/truncation.js';
import { WordArena } from './word-arena.js';

const NO_WINDOW: Window = [0, 0];
const NO_OVERFLOW: readonly Encoding[] = [];
/** Tokens by which two texts are read in turn while neither has ended. */
const COMPARED_TOKENS = 1 << 10;
/** Units of text that can be read in the time that a window takes, besides one for each of its tokens. */
const WINDOW_COST = 64;

/** What a text becomes before it is tokenized, and how many tokens of every window repeat its beginning. */
export interface PreparedBy extends Preparation {
  /** Tokens of the prompt: windows of the text all begin with them. */
  readonly promptTokens: number;
}

/** Turns texts, or pairs, into encodings one after the other: `begin`, `run` until it returns true, `finish`. */
export class EncodingTask {
  readonly #encoders: readonly [SequenceEncoder, SequenceEncoder];
  readonly #idToToken: IdToToken;
  #settings!: EncodeSettings;
  #preparation: PreparedBy | undefined;
  #arena = new WordArena(0);
  #numTexts = 0;
  #pieces: readonly TemplatePiece[] = [];
  /** Tokens of the texts that fit; Infinity without truncation. */
  #room = 0;
  #stage: 'first' | 'second' | 'compare' | 'windows' | 'done' = 'done';
  #pending: Generator<readonly [Window, Window]> | undefined;
  #built: Encoding[] = [];

  /** @internal */
  constructor(pipeline: Pipeline, idToToken: IdToToken) {
    this.#encoders = [new SequenceEncoder(pipeline), new SequenceEncoder(pipeline)];
    this.#idToToken = idToToken;
  }

  /** What holds for all texts until the next call. `chunk`: how many word indices share an array. `preparation` is for single texts. @internal */
  configure(settings: EncodeSettings, chunk: number, preparation?: PreparedBy): void {
    this.#settings = settings;
    this.#preparation = preparation;
    if (this.#arena.chunk !== chunk) this.#arena = new WordArena(chunk);
  }

  /** Starts with one text or two. Errors: MAX_LENGTH, INVALID_ARG. */
  begin(texts: readonly string[]): void {
    const { truncation, maxLength, single, pairs, offsets, splitSpecialTokens } = this.#settings;
    this.#numTexts = texts.length;
    this.#pieces = texts.length === 2 ? pairs : single;
    if (truncation === 'only_second' && texts.length === 1) {
      throw unexpected('INVALID_ARG', 'a pair for truncation "only_second"', 'one text');
    }
    this.#room = truncation === undefined ? Infinity : roomFor(this.#pieces, maxLength as number);
    this.#stage = 'first';
    this.#pending = undefined;
    this.#built = [];
    const limit = this.#tokenLimit();
    this.#encoders[0].begin(texts[0] as string, limit, offsets, splitSpecialTokens, this.#preparation);
    if (texts.length === 2) this.#encoders[1].begin(texts[1] as string, limit, offsets, splitSpecialTokens);
  }

  /**
   * Reads about `maxUnits` more UTF-16 units, or builds as many windows as that takes; true when `finish` can be called.
   *
   * Errors: MAX_LENGTH, INVALID_ARG (a stride that leaves no step).
   */
  run(maxUnits: number): boolean {
    const [first, second] = this.#encoders;
    switch (this.#stage) {
      case 'first':
        if (first.run(maxUnits)) this.#stage = this.#numTexts === 2 ? 'second' : this.#afterReading();
        break;
      case 'second':
        if (second.run(maxUnits)) this.#stage = this.#afterReading();
        break;
      case 'compare':
        if (this.#compare(maxUnits)) this.#stage = this.#afterReading();
        break;
      case 'windows':
        if (this.#buildWindows(maxUnits)) this.#stage = 'done';
        break;
      case 'done':
    }
    return this.#stage === 'done';
  }

  /** The result, not padded. Errors: MAX_LENGTH. */
  finish(): Encoding {
    let encoding: Encoding;
    if (this.#pending === undefined) {
      const { kept, truncated } = this.#keep();
      encoding = this.#build(kept, truncated, NO_OVERFLOW);
    } else {
      const [first, ...rest] = this.#built as [Encoding, ...Encoding[]];
      encoding = first.withOverflow(rest);
    }
    this.#end();
    return encoding;
  }

  /** The result as a model needs it, without windows. Errors: MAX_LENGTH. */
  finishIds(): EncodedIds {
    const { kept, truncated } = this.#keep();
    const ids = this.#lay(kept, 0, null);
    const typeIds = this.#pieces.some(({ typeId }) => typeId !== 0) ? this.#typeIdsOf(kept) : undefined;
    this.#end();
    return typeIds === undefined ? { ids, truncated } : { ids, typeIds, truncated };
  }

  #end(): void {
    this.#encoders[0].end();
    if (this.#numTexts === 2) this.#encoders[1].end();
    this.#built = [];
    this.#pending = undefined;
  }

  /** What is left to do once both texts were read as far as that is sure to matter. */
  #afterReading(): 'compare' | 'windows' | 'done' {
    if (this.#stage !== 'compare' && this.#mustCompare()) return 'compare';
    if (!this.#settings.overflow || this.#settings.truncation === undefined || !this.#keep().truncated) return 'done';
    this.#pending = this.#windows();
    return 'windows';
  }

  /** When both texts are too long and the room is odd, the longer one gets the odd token: only then more of them matters. */
  #mustCompare(): boolean {
    const [first, second] = this.#encoders;
    return (
      this.#numTexts === 2 &&
      this.#settings.truncation === 'longest_first' &&
      this.#room % 2 === 1 &&
      first.tokens.count > this.#room &&
      second.tokens.count > this.#room
    );
  }

  /** Reads on in the text that is behind, until one has ended and the other is known to be longer, or not. */
  #compare(maxUnits: number): boolean {
    const [first, second] = this.#encoders;
    if (first.isAtEnd && second.isAtEnd) return true;
    const behind = first.isAtEnd || (!second.isAtEnd && second.tokens.count < first.tokens.count) ? second : first;
    const ahead = behind === first ? second : first;
    if (ahead.isAtEnd && behind.tokens.count > ahead.tokens.count) return true;
    behind.tokens.maxTokens = ahead.tokens.count + (ahead.isAtEnd ? 1 : COMPARED_TOKENS);
    behind.run(maxUnits);
    return false;
  }

  /** The tokens of each text that stay, and whether others do not. Errors: MAX_LENGTH. */
  #keep(): { readonly kept: readonly [Window, Window]; readonly truncated: boolean } {
    const { truncation, truncationSide: side } = this.#settings;
    const [first, second] = this.#counts();
    if (truncation === undefined) {
      return {
        kept: [
          [0, first],
          [0, second],
        ],
        truncated: false,
      };
    }
    const [firstKept, secondKept] = keptLengths(first, this.#numTexts === 2 ? second : undefined, this.#room, truncation);
    return {
      kept: [keptWindow(first, firstKept, side), keptWindow(second, secondKept, side)],
      truncated: first > firstKept || second > secondKept,
    };
  }

  #counts(): [number, number] {
    const [first, second] = this.#encoders;
    return [first.tokens.count, this.#numTexts === 2 ? second.tokens.count : 0];
  }

  /** All windows as the reference orders them: the one that stays is the first. */
  *#windows(): Generator<readonly [Window, Window]> {
    const [first, second] = this.#counts();
    const [firstKept, secondKept] = this.#keep().kept;
    const firstWindows = this.#windowsOf(first, lengthOf(firstKept), this.#promptTokens);
    const secondWindows = this.#windowsOf(second, lengthOf(secondKept), 0);
    let stays: Window | undefined;
    for (const window of firstWindows()) {
      for (const other of secondWindows()) {
        yield [window, other];
        if (stays === undefined) break;
      }
      stays ??= window;
    }
    let isFirst = true;
    for (const other of secondWindows()) {
      if (!isFirst) yield [stays ?? NO_WINDOW, other];
      isFirst = false;
    }
  }

  /** The windows of one text of `count` tokens; `skipped` tokens at its beginning are part of every one. */
  #windowsOf(count: number, kept: number, skipped: number): () => Generator<Window> {
    const { stride, truncationSide: side } = this.#settings;
    const room = kept - skipped;
    if (count > kept && room < 1 && skipped > 0) {
      throw unexpected('MAX_LENGTH', `windows with room for more than the ${skipped} tokens of the prompt`, kept);
    }
    if (count > kept && room > 0 && stride >= room) {
      throw unexpected('INVALID_ARG', `a stride below ${room}, the tokens of the text in a window,`, stride);
    }
    return function* () {
      for (const [start, end] of windows(count - skipped, room, stride, side)) yield [start + skipped, end + skipped];
    };
  }

  get #promptTokens(): number {
    return this.#preparation?.promptTokens ?? 0;
  }

  #buildWindows(maxUnits: number): boolean {
    for (let left = maxUnits; left > 0;) {
      const { done, value } = this.#pending!.next();
      if (done === true) return true;
      const encoding = this.#build(value, true, NO_OVERFLOW, this.#promptTokens);
      this.#built.push(encoding);
      left -= WINDOW_COST + encoding.length;
    }
    return false;
  }

  /** How many tokens of a text decide about the result: one more than fit tells that it was cut. */
  #tokenLimit(): number {
    const { truncation, truncationSide, overflow } = this.#settings;
    return truncation === undefined || truncationSide === 'left' || overflow ? Infinity : this.#room + 1;
  }

  /** `repeated` tokens at the beginning of the first text stand before its window as well. */
  #build(kept: readonly [Window, Window], truncated: boolean, overflowing: readonly Encoding[], repeated = 0): Encoding {
    const [{ tokens: first, window: text }, { tokens: second }] = this.#encoders;
    const firstLength = repeated + lengthOf(kept[0]);
    const secondLength = lengthOf(kept[1]);
    const offsets = this.#settings.offsets ? new Int32Array(2 * templateLength(this.#pieces, firstLength, secondLength)) : null;
    const ids = this.#lay(kept, repeated, offsets);
    if (offsets !== null && this.#preparation !== undefined) text.toSource(offsets);
    const arena = this.#arena;
    const firstWords = arena.reserve(firstLength + secondLength);
    copy(first.wordIds, 0, repeated, arena.words, firstWords);
    copy(first.wordIds, ...kept[0], arena.words, firstWords + repeated);
    copy(second.wordIds, ...kept[1], arena.words, firstWords + firstLength);
    const layout = {
      pieces: this.#pieces,
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

  /** The ids, with special tokens; puts the offsets into `offsets` [2 * tokens]. */
  #lay(kept: readonly [Window, Window], repeated: number, offsets: Int32Array | null): Int32Array {
    const ids = new Int32Array(templateLength(this.#pieces, repeated + lengthOf(kept[0]), lengthOf(kept[1])));
    let at = 0;
    for (const piece of this.#pieces) {
      if (piece.kind === 'special') {
        ids[at++] = piece.id;
        continue;
      }
      const { tokens } = this.#encoders[piece.sequence];
      const skipped = piece.sequence === 0 ? repeated : 0;
      const [start, end] = kept[piece.sequence];
      copy(tokens.ids, 0, skipped, ids, at);
      copy(tokens.ids, start, end, ids, at + skipped);
      if (offsets !== null) {
        copy(tokens.offsets, 0, 2 * skipped, offsets, 2 * at);
        copy(tokens.offsets, 2 * start, 2 * end, offsets, 2 * (at + skipped));
        if (start > 0 && start < end && skipped === 0) tokens.beginWindow(start, offsets, 2 * at);
      }
      at += skipped + end - start;
    }
    return ids;
  }

  #typeIdsOf(kept: readonly [Window, Window]): Int32Array {
    const typeIds = new Int32Array(templateLength(this.#pieces, lengthOf(kept[0]), lengthOf(kept[1])));
    let at = 0;
    for (const piece of this.#pieces) {
      const length = piece.kind === 'special' ? 1 : lengthOf(kept[piece.sequence]);
      typeIds.fill(piece.typeId, at, at + length);
      at += length;
    }
    return typeIds;
  }
}

function lengthOf([start, end]: Window): number {
  return end - start;
}

/** to[at…] = from[start..end): for few elements faster than `set`. */
function copy(from: Int32Array, start: number, end: number, to: Int32Array, at: number): void {
  if (end - start > 256) to.set(from.subarray(start, end), at);
  else for (let k = start; k < end; k++) to[at + k - start] = from[k] as number;
}
