import { BerthaError } from '../errors.js';
import { type EncodeSettings, roomFor } from './encode-options.js';
import { Encoding, type TokenRun } from './encoding.js';
import { SequenceEncoder } from './sequence-encoder.js';
import type { TemplatePiece } from './template.js';
import { keptLengths, type Window, windows } from './truncation.js';

/** A text, or a pair, on its way to an `Encoding`; can be done in slices. */
export class EncodingTask {
  readonly #settings: EncodeSettings;
  readonly #texts: readonly [string] | readonly [string, string];
  readonly #encoders: readonly [SequenceEncoder, SequenceEncoder];
  readonly #idToToken: (id: number) => string | undefined;
  readonly #pieces: readonly TemplatePiece[];
  /** Tokens of the texts that fit; Infinity without truncation. */
  readonly #room: number;
  #done = 0;

  constructor(
    texts: readonly [string] | readonly [string, string],
    settings: EncodeSettings,
    encoders: readonly [SequenceEncoder, SequenceEncoder],
    idToToken: (id: number) => string | undefined,
  ) {
    this.#settings = settings;
    this.#texts = texts;
    this.#encoders = encoders;
    this.#idToToken = idToToken;
    this.#pieces = texts.length === 2 ? settings.pairs : settings.single;
    if (settings.truncation === 'only_second' && texts.length === 1) {
      throw new BerthaError('INVALID_ARG', 'Expected a pair for truncation "only_second" but received one text.');
    }
    this.#room = settings.truncation === undefined ? Infinity : roomFor(this.#pieces, settings.maxLength as number);
    texts.forEach((text, which) => this.#begin(text, which as 0 | 1, this.#tokenLimit()));
  }

  /** Reads about `maxUnits` more UTF-16 units; true when `finish` can be called. */
  run(maxUnits: number): boolean {
    const encoder = this.#encoders[this.#done as 0 | 1];
    if (this.#done < this.#texts.length && encoder.run(maxUnits)) this.#done++;
    return this.#done === this.#texts.length;
  }

  /** The result, not padded. */
  finish(): Encoding {
    const { truncation, truncationSide, stride, overflow } = this.#settings;
    const [first, second] = this.#encoders;
    const isPair = this.#texts.length === 2;
    if (truncation === undefined) return this.#end(this.#build([0, first.count], [0, second.count], false, []));
    // When both texts are too long and the room is odd, the longer one gets the odd token: only then their full lengths matter.
    if (isPair && truncation === 'longest_first' && this.#room % 2 === 1 && first.count > this.#room && second.count > this.#room) {
      this.#texts.forEach((text, which) => {
        this.#begin(text, which as 0 | 1, Infinity);
        this.#encoders[which as 0 | 1].run(Infinity);
      });
    }
    const kept = keptLengths(first.count, isPair ? second.count : undefined, this.#room, truncation);
    const cut = first.count > kept[0] || (isPair && second.count > kept[1]);
    for (const which of [0, 1] as const) {
      if (!overflow || which >= this.#texts.length || kept[which] === 0 || this.#encoders[which].count <= kept[which]) continue;
      if (stride >= kept[which]) {
        throw new BerthaError('INVALID_ARG', `Expected a stride below ${kept[which]}, the tokens of the text in a window, but received ${stride}.`);
      }
    }
    const [firstWindows, secondWindows] = overflow
      ? [windows(first.count, kept[0], stride, truncationSide), isPair ? windows(second.count, kept[1], stride, truncationSide) : []]
      : [[keptWindow(first.count, kept[0], truncationSide)], [keptWindow(second.count, kept[1], truncationSide)]];
    const [firstKept, ...firstRest] = firstWindows as [Window, ...Window[]];
    const [secondKept, ...secondRest] = (isPair ? secondWindows : [[0, 0]]) as [Window, ...Window[]];
    const overflowing: Encoding[] = [];
    for (const window of firstRest) for (const other of [secondKept, ...secondRest]) overflowing.push(this.#build(window, other, cut, []));
    for (const other of secondRest) overflowing.push(this.#build(firstKept, other, cut, []));
    return this.#end(this.#build(firstKept, secondKept, cut, overflowing));
  }

  #begin(text: string, which: 0 | 1, maxTokens: number): void {
    this.#encoders[which].begin(text, maxTokens, this.#settings.offsets, this.#settings.splitSpecialTokens);
  }

  /** How many tokens of a text decide about the result: one more than fit tells that it was cut. */
  #tokenLimit(): number {
    const { truncation, truncationSide, overflow } = this.#settings;
    if (truncation === undefined || truncationSide === 'left' || overflow) return Infinity;
    return this.#room + 1;
  }

  #end(encoding: Encoding): Encoding {
    for (const encoder of this.#encoders) encoder.end();
    return encoding;
  }

  #build(first: Window, second: Window, truncated: boolean, overflowing: readonly Encoding[]): Encoding {
    const { offsets: withOffsets } = this.#settings;
    let length = 0;
    for (const piece of this.#pieces) length += piece.kind === 'special' ? 1 : lengthOf(piece.sequence === 0 ? first : second);
    const ids = new Int32Array(length);
    const offsets = withOffsets ? new Int32Array(2 * length) : null;
    const runs: TokenRun[] = [];
    let at = 0;
    for (const piece of this.#pieces) {
      if (piece.kind === 'special') {
        ids[at++] = piece.id;
        runs.push({ source: 'special', length: 1, typeId: piece.typeId });
        continue;
      }
      const [start, end] = piece.sequence === 0 ? first : second;
      const encoder = this.#encoders[piece.sequence];
      ids.set(encoder.ids.subarray(start, end), at);
      offsets?.set(encoder.offsets.subarray(2 * start, 2 * end), 2 * at);
      runs.push({ source: piece.sequence, length: end - start, typeId: piece.typeId, wordIds: encoder.wordIds.slice(start, end) });
      at += end - start;
    }
    return new Encoding({ ids, offsets, runs, truncated, overflowing, idToToken: this.#idToToken });
  }
}

function lengthOf([start, end]: Window): number {
  return end - start;
}

function keptWindow(count: number, kept: number, side: 'left' | 'right'): Window {
  return side === 'right' ? [0, Math.min(kept, count)] : [Math.max(0, count - kept), count];
}
