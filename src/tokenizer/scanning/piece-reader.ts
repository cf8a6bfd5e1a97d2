import { NormalizerChain, type NormalizerStep } from '../normalizers/steps.js';
import { scalarAt, unitLength } from '../unicode/scalar.js';
import { NormalizedWindow } from './normalized-window.js';
import type { TextWindow, Window } from './text-window.js';

const STEP_UNITS = 1 << 10;
const PLAIN_STEP_UNITS = 1 << 14;
/** Normalizing a unit takes this many times as long as the table's way does. */
const NORMALIZING_COST = 4;

/** A piece of text between added tokens, as what follows the normalizer reads it. */
export interface PieceReader {
  /** What was read of the piece and not dropped. */
  readonly window: Window;
  /** The text before it was read, or is an added token. */
  position: number;
  /** UTF-16 units of the text that are searched, or read, in one step. */
  readonly stepUnits: number;
  /** Starts another piece, at `position`. */
  begin(): void;
  /** Reads on, at most to `limit`, where the piece ends if `isLast`. Returns what it cost, in units of plain text. */
  read(text: TextWindow, limit: number, isLast: boolean): number;
  /** Drops what lies before `from` in `window`. */
  drop(from: number): void;
  /** Tells that the text's window has moved. */
  shift(units: number): void;
}

/** Pieces go, step by step, through the streams of a normalizer. */
export class NormalizedPieces implements PieceReader {
  readonly window = new NormalizedWindow();
  readonly stepUnits = STEP_UNITS;
  readonly #chain: NormalizerChain;

  constructor(steps: readonly NormalizerStep[]) {
    this.#chain = new NormalizerChain(steps);
  }

  get position(): number {
    return this.#chain.source.position;
  }

  set position(position: number) {
    this.#chain.source.position = position;
  }

  begin(): void {
    this.window.clear();
    this.#chain.stream.reset();
  }

  read(text: TextWindow, limit: number, isLast: boolean): number {
    const { budget, source, stream } = this.#chain;
    budget.left = STEP_UNITS;
    source.allow(text, limit, isLast);
    const made = this.window.fill(stream, STEP_UNITS);
    return NORMALIZING_COST * Math.max(made, STEP_UNITS - budget.left);
  }

  drop(from: number): void {
    this.window.drop(from);
  }

  shift(units: number): void {
    this.position -= units;
  }
}

/** Pieces of text that stay as they are. */
export class PlainPieces implements PieceReader {
  #position = 0;
  readonly stepUnits = PLAIN_STEP_UNITS;
  readonly window = new PlainWindow();

  get position(): number {
    return this.#position;
  }

  set position(position: number) {
    this.#position = position;
    if (this.window.text === '') this.window.clear(position);
  }

  begin(): void {
    this.window.clear(this.#position);
  }

  read(text: TextWindow, limit: number, isLast: boolean): number {
    const before = this.#position;
    this.window.extend(text, before, limit, isLast);
    this.#position = limit;
    return limit - before;
  }

  drop(from: number): void {
    this.window.drop(from);
  }

  shift(units: number): void {
    this.#position -= units;
    this.window.shift(units);
  }
}

/** A stretch of a text's window. */
class PlainWindow implements Window {
  text = '';
  isComplete = false;
  /** Where it begins in the text's window. */
  #from = 0;
  #outer!: TextWindow;

  clear(from: number): void {
    this.text = '';
    this.isComplete = false;
    this.#from = from;
  }

  /** Goes on with text[from..limit) of the text's window, which need not hold what came before any longer. */
  extend(outer: TextWindow, from: number, limit: number, isLast: boolean): void {
    this.#outer = outer;
    const text = outer.text.slice(from, limit);
    this.text = this.text === '' ? text : this.text + text;
    this.isComplete = isLast;
  }

  drop(from: number): void {
    this.text = this.text.slice(from);
    this.#from += from;
  }

  shift(units: number): void {
    this.#from -= units;
  }

  startOf(index: number): number {
    return this.#outer.startOf(this.#from + index);
  }

  endOf(index: number): number {
    return this.startOf(index) + unitLength(scalarAt(this.text, index));
  }
}
