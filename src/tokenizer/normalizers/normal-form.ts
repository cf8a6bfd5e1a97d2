import { decompose, decomposeCompatibly } from '../unicode/normal-forms.js';
import type { Budget, CharacterStream } from './character-stream.js';
import { Composition } from './composition.js';
import { type ChangeStream, Decomposition } from './decomposition.js';
import { NumberQueue } from './number-queue.js';

/** One of Unicode's normalization forms. */
export type FormName = 'NFC' | 'NFD' | 'NFKC' | 'NFKD';

/**
 * A text in a normalization form. The reference aligns by position, counting characters in the order after the marks were sorted: what
 * stands in place of the i-th character before comes from it, whatever it is; what is added comes from where the one before it did.
 */
export class NormalForm implements CharacterStream {
  origin = 0;
  readonly #characters: ChangeStream;
  /** Origins of characters that were read and have nothing in their place yet. */
  readonly #origins = new NumberQueue();
  /** The last origin that was taken from there. */
  #last = 0;

  constructor(form: FormName, upstream: CharacterStream, budget: Budget) {
    const isCompatible = form === 'NFKC' || form === 'NFKD';
    const origins = this.#origins;
    const decomposed = new Decomposition(upstream, isCompatible ? decomposeCompatibly : decompose, budget, () =>
      origins.push(upstream.origin),
    );
    this.#characters = form === 'NFC' || form === 'NFKC' ? new Composition(decomposed, budget) : decomposed;
  }

  next(): number {
    const codePoint = this.#characters.next();
    if (codePoint < 0) return codePoint;
    const { change } = this.#characters;
    if (change > 0) {
      this.origin = this.#last;
    } else {
      this.origin = this.#last = this.#origins.shift();
      for (let gone = change; gone < 0; gone++) this.#last = this.#origins.shift();
    }
    return codePoint;
  }

  reset(): void {
    this.#origins.clear();
    this.#characters.reset();
  }
}
