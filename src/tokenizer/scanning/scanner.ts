import type { TextWindow } from './text-window.js';

/** A way to read the text of a window. */
export interface Scanner {
  /** Where it reads next. */
  readonly position: number;
  /** The text before is not looked at again. */
  readonly keepFrom: number;
  /** The token whose white space is still being read, else -1. */
  readonly openToken: number;
  /** Whether it cannot read this text after all: another way has to be tried from its beginning. */
  readonly hasGivenUp: boolean;
  begin(window: TextWindow, splitSpecialTokens: boolean): void;
  /** Tells that the window is about to move. */
  settle(): void;
  /** Tells by how much the window has moved. */
  shift(units: number): void;
  /** Whether the text before `index` can be read without what follows. */
  isBoundary(index: number): boolean;
  /** Whether it has nothing to do before there is text behind `limit`. */
  isStarved(limit: number): boolean;
  /** Reads on, at most to `limit` or a little further. Returns what it cost, in units of plain text. */
  scan(limit: number): number;
  /** Reads the white space of the open token to its end. */
  closeToken(): void;
  /** Tells that the text has ended; true when all of it was read, else it wants to be called again. */
  finish(): boolean;
}
