import type { CodePointSet } from '../unicode/code-point-set.js';
import { type CharacterStream, Ended, MapStream } from './character-stream.js';

/** What Replace looks for: a fixed text, or a character of a set; `isRun` as many of them as follow one another. */
export type ReplacePattern =
  { readonly literal: readonly number[] } | { readonly literal?: undefined; readonly set: CodePointSet; readonly isRun: boolean };

/** A text with `content` in place of every match of `pattern`; all of it comes from the last character of the match. */
export function replaceStream(upstream: CharacterStream, pattern: ReplacePattern, content: readonly number[]): CharacterStream {
  if (pattern.literal !== undefined && pattern.literal.length > 1) return new ReplaceLiteral(upstream, pattern.literal, content);
  const [only] = pattern.literal ?? [];
  if (only !== undefined) return new MapStream(upstream, (codePoint) => (codePoint === only ? content : codePoint));
  const { set, isRun } = pattern as { set: CodePointSet; isRun: boolean };
  if (isRun) return new ReplaceRuns(upstream, set, content);
  return new MapStream(upstream, (codePoint) => (set.has(codePoint) ? content : codePoint));
}

/** Characters that a stream answers before it asks for more. */
class Answers {
  origin = 0;
  #codePoints: readonly number[] = [];
  #at = 0;

  get isEmpty(): boolean {
    return this.#at >= this.#codePoints.length;
  }

  put(codePoints: readonly number[], origin: number): void {
    this.#codePoints = codePoints;
    this.#at = 0;
    this.origin = origin;
  }

  take(): number {
    return this.#codePoints[this.#at++] as number;
  }
}

class ReplaceRuns implements CharacterStream {
  readonly #upstream: CharacterStream;
  readonly #set: CodePointSet;
  readonly #content: readonly number[];
  readonly #answers = new Answers();
  /** The character behind the run, or -1, and its origin. */
  #behind = -1;
  #behindOrigin = 0;
  /** Of the last character of a run, or -1. */
  #runOrigin = -1;

  constructor(upstream: CharacterStream, set: CodePointSet, content: readonly number[]) {
    this.#upstream = upstream;
    this.#set = set;
    this.#content = content;
  }

  get origin(): number {
    return this.#answers.origin;
  }

  next(): number {
    for (;;) {
      if (!this.#answers.isEmpty) return this.#answers.take();
      if (this.#behind >= 0) {
        this.#answers.origin = this.#behindOrigin;
        const behind = this.#behind;
        this.#behind = -1;
        return behind;
      }
      const codePoint = this.#upstream.next();
      const { origin } = this.#upstream;
      if (codePoint >= 0 && this.#set.has(codePoint)) {
        this.#runOrigin = origin;
        continue;
      }
      if (this.#runOrigin < 0 || (codePoint < 0 && codePoint !== Ended)) {
        this.#answers.origin = origin;
        return codePoint;
      }
      this.#answers.put(this.#content, this.#runOrigin);
      this.#runOrigin = -1;
      this.#behind = codePoint;
      this.#behindOrigin = origin;
    }
  }

  reset(): void {
    this.#answers.put([], 0);
    this.#behind = this.#runOrigin = -1;
    this.#upstream.reset();
  }
}

class ReplaceLiteral implements CharacterStream {
  readonly #upstream: CharacterStream;
  readonly #literal: readonly number[];
  readonly #content: readonly number[];
  readonly #answers = new Answers();
  /** Characters that may begin a match, and their origins: at most one less than it has. */
  readonly #waiting: number[] = [];
  readonly #origins: number[] = [];
  /** How many of them are known to match. */
  #matched = 0;

  constructor(upstream: CharacterStream, literal: readonly number[], content: readonly number[]) {
    this.#upstream = upstream;
    this.#literal = literal;
    this.#content = content;
  }

  get origin(): number {
    return this.#answers.origin;
  }

  next(): number {
    for (;;) {
      if (!this.#answers.isEmpty) return this.#answers.take();
      while (this.#matched < this.#waiting.length && this.#waiting[this.#matched] === this.#literal[this.#matched]) this.#matched++;
      if (this.#matched === this.#literal.length) {
        this.#answers.put(this.#content, this.#origins.at(-1) as number);
        this.#waiting.length = this.#origins.length = this.#matched = 0;
        continue;
      }
      if (this.#matched < this.#waiting.length) return this.#takeWaiting();
      const codePoint = this.#upstream.next();
      if (codePoint === Ended && this.#waiting.length > 0) return this.#takeWaiting();
      if (codePoint < 0) return codePoint;
      this.#waiting.push(codePoint);
      this.#origins.push(this.#upstream.origin);
    }
  }

  reset(): void {
    this.#answers.put([], 0);
    this.#waiting.length = this.#origins.length = this.#matched = 0;
    this.#upstream.reset();
  }

  #takeWaiting(): number {
    this.#matched = 0;
    this.#answers.origin = this.#origins.shift() as number;
    return this.#waiting.shift() as number;
  }
}
