import { type CharacterStream, MapStream } from './character-stream.js';

/** A text with `content` before it, which comes from its first character; nothing if the text is empty. */
export class Prepend implements CharacterStream {
  readonly #stream: MapStream;
  #isAtStart = true;

  constructor(upstream: CharacterStream, content: readonly number[]) {
    this.#stream = new MapStream(upstream, (codePoint) => {
      if (!this.#isAtStart) return codePoint;
      this.#isAtStart = false;
      return [...content, codePoint];
    });
  }

  get origin(): number {
    return this.#stream.origin;
  }

  next(): number {
    return this.#stream.next();
  }

  reset(): void {
    this.#isAtStart = true;
    this.#stream.reset();
  }
}
