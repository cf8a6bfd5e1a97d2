import type { CodePointSet } from '../unicode/code-point-set.js';
import { type CharacterStream, Ended, MapStream, Starved } from './character-stream.js';

/** What Replace looks for: a fixed text, or a character of a set; `isRun` as many of them as follow one another. */
export type ReplacePattern =
  | { readonly literal: readonly number[] }
  | { readonly literal?: undefined; readonly set: CodePointSet; readonly isRun: boolean; readonly alone?: CodePointSet };

/** A text with `content` in place of every match of `pattern`; all of it comes from the last character of the match. */
export function replaceStream(upstream: CharacterStream, pattern: ReplacePattern, content: readonly number[]): CharacterStream {
  if (pattern.literal !== undefined && pattern.literal.length > 1) return new ReplaceLiteral(upstream, pattern.literal, content);
  const [only] = pattern.literal ?? [];
  if (only !== undefined) return new MapStream(upstream, (codePoint) => (codePoint === only ? content : codePoint));
  const { set, isRun, alone = set } = pattern as { set: CodePointSet; isRun: boolean; alone?: CodePointSet };
  if (isRun) return new ReplaceRuns(upstream, set, alone, content);
  return new MapStream(upstream, (codePoint) => (set.has(codePoint) ? content : codePoint));
}

/** What both ways to look for matches share: the content of a match is answered before more is read. */
abstract class ReplaceStream implements CharacterStream {
  origin = 0;
  protected readonly upstream: CharacterStream;
  /** What `read` found if it was no match. */
  protected codePoint = 0;
  readonly #content: readonly number[];
  /** How much of the content was answered. */
  #at: number;

  constructor(upstream: CharacterStream, content: readonly number[]) {
    this.upstream = upstream;
    this.#content = content;
    this.#at = content.length;
  }

  next(): number {
    for (;;) {
      if (this.#at < this.#content.length) return this.#content[this.#at++] as number;
      const isMatch = this.read();
      if (!isMatch) return this.codePoint;
      this.#at = 0;
    }
  }

  reset(): void {
    this.#at = this.#content.length;
    this.upstream.reset();
  }

  /** Reads a match, and is true, or a character that is none, `Starved` or `Ended`; sets the origin. */
  protected abstract read(): boolean;
}

class ReplaceRuns extends ReplaceStream {
  readonly #set: CodePointSet;
  readonly #alone: CodePointSet;
  /** The character behind a run, or -1, and its origin. */
  #behind = -1;
  #behindOrigin = 0;
  /** Of the run that is being read: how many characters it has, the first of them, the origin of the last. */
  #runLength = 0;
  #runFirst = 0;
  #runOrigin = 0;

  /** A run of one character is a match only if that is in `alone`. */
  constructor(upstream: CharacterStream, set: CodePointSet, alone: CodePointSet, content: readonly number[]) {
    super(upstream, content);
    this.#set = set;
    this.#alone = alone;
  }

  override reset(): void {
    this.#behind = -1;
    this.#runLength = 0;
    super.reset();
  }

  protected read(): boolean {
    if (this.#behind >= 0) {
      this.codePoint = this.#behind;
      this.origin = this.#behindOrigin;
      this.#behind = -1;
      return false;
    }
    let codePoint: number;
    while ((codePoint = this.upstream.next()) >= 0 && this.#set.has(codePoint)) {
      if (this.#runLength++ === 0) this.#runFirst = codePoint;
      this.#runOrigin = this.upstream.origin;
    }
    if (this.#runLength === 0 || codePoint === Starved) {
      this.origin = this.upstream.origin;
      this.codePoint = codePoint;
      return false;
    }
    const isMatch = this.#runLength > 1 || this.#alone.has(this.#runFirst);
    this.#runLength = 0;
    this.#behind = codePoint;
    this.#behindOrigin = this.upstream.origin;
    this.origin = this.#runOrigin;
    this.codePoint = this.#runFirst;
    return isMatch;
  }
}

class ReplaceLiteral extends ReplaceStream {
  readonly #literal: readonly number[];
  /** Characters that may begin a match, and their origins: at most one less than it has. */
  readonly #waiting: number[] = [];
  readonly #origins: number[] = [];
  /** How many of them are known to match. */
  #matched = 0;

  constructor(upstream: CharacterStream, literal: readonly number[], content: readonly number[]) {
    super(upstream, content);
    this.#literal = literal;
  }

  override reset(): void {
    this.#waiting.length = this.#origins.length = this.#matched = 0;
    super.reset();
  }

  protected read(): boolean {
    for (;;) {
      while (this.#matched < this.#waiting.length && this.#waiting[this.#matched] === this.#literal[this.#matched]) this.#matched++;
      if (this.#matched === this.#literal.length) {
        this.origin = this.#origins.at(-1) as number;
        this.#waiting.length = this.#origins.length = this.#matched = 0;
        return true;
      }
      const codePoint = this.#matched < this.#waiting.length ? Ended : this.upstream.next();
      if (codePoint === Ended && this.#waiting.length > 0) {
        this.#matched = 0;
        this.origin = this.#origins.shift() as number;
        this.codePoint = this.#waiting.shift() as number;
        return false;
      }
      if (codePoint < 0) {
        this.codePoint = codePoint;
        return false;
      }
      this.#waiting.push(codePoint);
      this.#origins.push(this.upstream.origin);
    }
  }
}
