import { scalarAt, unitLength } from '../unicode/scalar.js';

/** What `next` answers when there is no character: none is known yet, or none will come. */
export const Starved = -1;
export const Ended = -2;

/** A text as code points, each with where it comes from. Normalizers are such streams over others. */
export interface CharacterStream {
  /** Where the last character comes from, packed by `originOf`. */
  readonly origin: number;
  /** The next code point, `Starved` or `Ended`. */
  next(): number;
  /** Forgets the text: another one begins. */
  reset(): void;
}

/** Work that may be done before a stream has to answer `Starved`; one for all streams of a chain. */
export interface Budget {
  left: number;
}

/** Text that characters are read from; part of `Window`. */
export interface SourceText {
  readonly text: string;
  startOf(index: number): number;
}

/** The origin of a character that begins at `start`, an offset. */
export function packOrigin(start: number, codePoint: number): number {
  return (start << 1) | (unitLength(codePoint) - 1);
}

export function originStart(origin: number): number {
  return origin >> 1;
}

export function originEnd(origin: number): number {
  return (origin >> 1) + 1 + (origin & 1);
}

/** The beginning of a chain: the characters of a window, as far as they may be read. */
export class SourceStream implements CharacterStream {
  origin = 0;
  /** Where it reads next. */
  position = 0;
  readonly #budget: Budget;
  #source: SourceText | undefined;
  #limit = 0;
  #isLast = false;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  reset(): void {
    this.#limit = 0;
    this.#isLast = false;
  }

  /** Allows reading on to `limit`; `isLast` if the text ends there. */
  allow(source: SourceText, limit: number, isLast: boolean): void {
    this.#source = source;
    this.#limit = limit;
    this.#isLast = isLast;
  }

  next(): number {
    const { position } = this;
    if (position >= this.#limit) return this.#isLast ? Ended : Starved;
    const source = this.#source as SourceText;
    const codePoint = scalarAt(source.text, position);
    const end = position + unitLength(codePoint);
    if ((end > this.#limit && !this.#isLast) || this.#budget.left <= 0) return Starved;
    this.#budget.left--;
    this.origin = packOrigin(source.startOf(position), codePoint);
    this.position = end;
    return codePoint;
  }
}

/** The characters that `map` makes of each: one, several, or none for `undefined`. */
export class MapStream implements CharacterStream {
  readonly #upstream: CharacterStream;
  readonly #map: (codePoint: number) => number | readonly number[] | undefined;
  #parts: readonly number[] = [];
  #at = 0;

  constructor(upstream: CharacterStream, map: (codePoint: number) => number | readonly number[] | undefined) {
    this.#upstream = upstream;
    this.#map = map;
  }

  get origin(): number {
    return this.#upstream.origin;
  }

  next(): number {
    if (this.#at < this.#parts.length) return this.#parts[this.#at++] as number;
    for (;;) {
      const codePoint = this.#upstream.next();
      if (codePoint < 0) return codePoint;
      const mapped = this.#map(codePoint);
      if (typeof mapped === 'number') return mapped;
      if (mapped === undefined || mapped.length === 0) continue;
      this.#parts = mapped;
      this.#at = 1;
      return mapped[0] as number;
    }
  }

  reset(): void {
    this.#parts = [];
    this.#at = 0;
    this.#upstream.reset();
  }
}
