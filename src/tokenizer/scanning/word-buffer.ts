import { type Cuts, cutsBetween } from './pre-tokenizer.js';
import type { Window } from './text-window.js';
import type { TokenBuffer } from './token-buffer.js';
import { HASH_PRIME, HASH_SEED, hashUnits } from '../vocabulary/unit-map.js';
import { LONG_WORD, type LongWord, type WordModel } from '../vocabulary/word-model.js';

const FIRST_CAPACITY = 256;
/** Of a longer word, only what comes from the last units is kept up to date while the window moves. */
const SHIFTED_UNITS = 1 << 16;

/** A word whose tokens are not known yet. */
interface DeferredWord {
  readonly index: number;
  readonly long: LongWord;
  /** [units, 2]: where each unit's character begins and ends in the text; empty where nobody asks. */
  readonly offsets: Int32Array;
  isSplit: boolean;
  /** Of its pieces, so many are tokens by now. */
  numPushed: number;
}

/** The word that is being read: its normalized units, where each comes from, its length so far (which may exceed what is stored). */
export class WordBuffer {
  units = new Uint16Array(FIRST_CAPACITY);
  /** Index in the window of the character that a unit comes from. */
  sources = new Int32Array(FIRST_CAPACITY);
  length = 0;
  /** Whether every unit has to come through `append`. */
  readonly looksAtUnits: boolean = false;
  /** Of `units`, as UnitMap wants it. */
  hash = HASH_SEED;
  readonly #model: WordModel;
  readonly #tokens: TokenBuffer;
  #window!: Window;
  // [2 * #settled]: offsets of the characters that the first units come from, once the window has moved.
  #offsets = new Int32Array(0);
  #settled = 0;
  // How far the window has moved; where the first #unmoved units come from counts from before it did.
  #moved = 0;
  #unmoved = 0;
  /** Units that are the second of a pair. */
  #pairs = 0;
  #count = 0;
  /** In their order. While there are any, all words that end are added. */
  readonly #deferred: DeferredWord[] = [];
  /** Of the last character, where the pre-tokenizer has groups. */
  #group = 0;
  readonly #cuts: Cuts;

  /** Puts the tokens of every word into `tokens`; `cuts`: where characters of several groups make words of their own. */
  constructor(model: WordModel, tokens: TokenBuffer, cuts: Cuts) {
    this.#model = model;
    this.#cuts = cuts;
    this.#tokens = tokens;
  }

  /** Starts a text. */
  begin(): void {
    this.#count = 0;
    this.#deferred.length = 0;
    this.#tokens.isHeld = false;
    this.clear();
  }

  /** What follows comes from another window. */
  enter(window: Window): void {
    this.#window = window;
  }

  /** Tells that the window is about to move: it may not hold what the word comes from any longer. */
  settle(): void {
    if (this.#offsets.length < 2 * this.length) this.#offsets = grown(this.#offsets, 2 * this.sources.length);
    for (let k = this.#settled; k < this.length; k++) {
      this.#offsets[2 * k] = this.#window.startOf(this.sources[k] as number);
      this.#offsets[2 * k + 1] = this.#window.endOf(this.sources[k] as number);
    }
    this.#settled = this.length;
  }

  /** Tells that the window has moved. */
  shift(units: number): void {
    // A text of one word takes linear time: each unit is left behind once.
    for (; this.#unmoved < this.length - SHIFTED_UNITS; this.#unmoved++) (this.sources[this.#unmoved] as number) += this.#moved;
    for (let k = this.#unmoved; k < this.length; k++) (this.sources[k] as number) -= units;
    this.#moved += units;
  }

  /** The index of the next word, if an added token is that word. */
  takeIndex(): number {
    return this.#count++;
  }

  /** The next character is of `group`: ends the word if the pre-tokenizer cuts there. `isKnown`: the last one was, nothing follows it yet. */
  enterGroup(group: number, isKnown = false): void {
    if (!isKnown && cutsBetween(this.#cuts, this.#group, group)) this.flush();
    this.#group = group;
  }

  append(unit: number, source: number): void {
    if (this.length === this.units.length) this.length = this.grow(this.length);
    this.units[this.length] = unit;
    this.sources[this.length++] = source;
    this.hash = Math.imul(this.hash ^ unit, HASH_PRIME);
    if ((unit & 0xfc00) === 0xdc00) this.#pairs++;
  }

  /** A character above U+FFFF. */
  appendPair(codePoint: number, source: number): void {
    this.append(0xd7c0 + (codePoint >> 10), source);
    this.append(0xdc00 | (codePoint & 0x3ff), source);
  }

  /** Takes back what comes from `source` or later. */
  dropFrom(source: number): void {
    let length = this.length;
    while (length > 0 && this.#sourceOf(length - 1) >= source) length--;
    this.length = length;
    this.#unmoved = Math.min(this.#unmoved, length);
    this.#settled = Math.min(this.#settled, length);
    this.hash = hashUnits(this.units, 0, length);
    this.#pairs = 0;
    for (let k = 0; k < length; k++) if (((this.units[k] as number) & 0xfc00) === 0xdc00) this.#pairs++;
  }

  /**
   * Makes room for more and returns the length. A word that is certain to be [UNK] is not stored further: its last unit is overwritten,
   * so that its end stays known.
   */
  grow(length: number): number {
    if (length > 2 * this.#model.maxInputCharsPerWord + 2) {
      this.#pairs = 0;
      this.#settled = Math.min(this.#settled, length - 1);
      return length - 1;
    }
    const units = new Uint16Array(2 * length);
    units.set(this.units);
    this.units = units;
    this.sources = grown(this.sources, 2 * length);
    return length;
  }

  /** Ends the word, if there is one. */
  flush(): void {
    if (this.length > 0) this.end(this.length, this.hash);
    this.clear();
  }

  /** A word of one unit, which interrupts nothing: the word before it has ended. */
  isolate(unit: number, source: number): void {
    this.units[0] = unit;
    this.sources[0] = source;
    this.end(1, Math.imul(HASH_SEED ^ unit, HASH_PRIME));
  }

  /** Ends the word after `count` units; the others begin the next one. */
  flushFirst(count: number): void {
    const units = this.units.slice(count, this.length);
    const sources = this.sources.slice(count, this.length);
    for (let k = count; k < this.#unmoved; k++) sources[k - count] = this.#sourceOf(k);
    const settled = Math.max(0, this.#settled - count);
    const offsets = this.#offsets.slice(2 * count, 2 * (count + settled));
    this.length = count;
    this.#settled = Math.min(this.#settled, count);
    this.hash = hashUnits(this.units, 0, count);
    this.flush();
    for (let k = 0; k < units.length; k++) this.append(units[k] as number, sources[k] as number);
    if (settled === 0) return;
    if (this.#offsets.length < offsets.length) this.#offsets = new Int32Array(2 * offsets.length);
    this.#offsets.set(offsets);
    this.#settled = settled;
  }

  /** Produces the tokens of the word of `length` units. */
  end(length: number, hash: number): void {
    const model = this.#model;
    const wordIndex = this.#count++;
    const isTooLong = length - this.#pairs > model.maxInputCharsPerWord;
    if (model.splitLong !== undefined && (length > LONG_WORD || this.isBusy)) {
      this.#defer(model.splitLong(this.units, length), length, wordIndex);
      return;
    }
    const id = isTooLong ? (model.unkId ?? -1) : model.find(this.units, length, hash);
    this.#pairs = 0;
    if (id >= 0) {
      this.#push(id, wordIndex, 0, length);
    } else if (!isTooLong) {
      const at = model.split(this.units, length, hash);
      const pieces = model.pieces;
      const last = at + 3 * (pieces[at] as number);
      for (let p = at + 1; p < last; p += 3) {
        this.#push(pieces[p] as number, wordIndex, pieces[p + 1] as number, pieces[p + 2] as number);
      }
    }
    this.#settled = this.#unmoved = 0;
  }

  /** Whether words have ended whose tokens are not known yet: `work` has to be called before more is read. */
  get isBusy(): boolean {
    return this.#deferred.length > 0;
  }

  /** Goes on with the first of the words whose tokens are not known yet, for about `steps` steps. */
  work(steps: number): void {
    const [word] = this.#deferred as [DeferredWord];
    const { long, index, offsets } = word;
    if (!word.isSplit) {
      word.isSplit = long.run(steps);
      return;
    }
    const { pieces } = long;
    const last = Math.min(pieces[0] as number, word.numPushed + steps);
    for (let k = word.numPushed; k < last; k++) {
      const [id, start, end] = [pieces[3 * k + 1] as number, pieces[3 * k + 2] as number, pieces[3 * k + 3] as number];
      const at = this.#tokens.add(id, index);
      if (at < 0 || offsets.length === 0) continue;
      this.#tokens.place(at, offsets[2 * start] as number, offsets[2 * end - 1] as number, this.#tokens.spaceOf(id));
    }
    word.numPushed = last;
    if (last < (pieces[0] as number)) return;
    this.#deferred.shift();
    this.#tokens.isHeld = this.isBusy;
  }

  /** Forgets the word. */
  clear(): void {
    this.length = 0;
    this.hash = HASH_SEED;
    this.#pairs = 0;
    this.#settled = this.#unmoved = 0;
  }

  /** Where a unit comes from in the window as it is now. */
  #sourceOf(index: number): number {
    return (this.sources[index] as number) - (index < this.#unmoved ? this.#moved : 0);
  }

  #defer(long: LongWord, length: number, index: number): void {
    let offsets = new Int32Array(0);
    if (this.#tokens.withOffsets) {
      this.length = length;
      this.settle();
      offsets = this.#offsets;
      this.#offsets = new Int32Array(0);
    }
    this.#deferred.push({ index, long, offsets, isSplit: false, numPushed: 0 });
    this.#tokens.isHeld = true;
    // The units are the model's from now on.
    this.units = new Uint16Array(FIRST_CAPACITY);
    this.sources = new Int32Array(FIRST_CAPACITY);
    this.clear();
  }

  /** One token: units [start..end) of the word. */
  #push(id: number, wordIndex: number, start: number, end: number): void {
    const at = this.#tokens.add(id, wordIndex);
    if (at < 0 || !this.#tokens.withOffsets) return;
    const last = end - 1;
    const from = start < this.#settled ? this.#offsets[2 * start] : this.#window.startOf(this.sources[start] as number);
    const to = last < this.#settled ? this.#offsets[2 * last + 1] : this.#window.endOf(this.sources[last] as number);
    this.#tokens.place(at, from as number, to as number, this.#tokens.spaceOf(id));
  }
}

function grown(from: Int32Array, length: number): Int32Array<ArrayBuffer> {
  const to = new Int32Array(length);
  to.set(from);
  return to;
}
