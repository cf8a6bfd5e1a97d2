import type { Metaspace, PreTokenizer } from './pre-tokenizer.js';
import type { Window } from './text-window.js';
import type { TokenBuffer } from './token-buffer.js';
import { WordBuffer } from './word-buffer.js';
import type { WordModel } from '../vocabulary/word-model.js';

const SPACE = 0x20;

/**
 * Words of a pre-tokenizer that ends with Metaspace: spaces become another character, which is put before what the pre-tokenizers before it
 * have cut out as well, and begins words.
 */
export class MetaspaceWords extends WordBuffer {
  override readonly looksAtUnits = true;
  readonly #metaspace: Metaspace;
  #source!: Window;
  /** Whether the next character begins what the pre-tokenizers before have cut out. */
  #isAtCut = true;

  constructor(model: WordModel, tokens: TokenBuffer, preTokenizer: PreTokenizer, metaspace: Metaspace) {
    super(model, tokens, preTokenizer.cuts);
    this.#metaspace = metaspace;
  }

  override begin(): void {
    this.#isAtCut = true;
    super.begin();
  }

  override enter(window: Window): void {
    this.#source = window;
    super.enter(window);
  }

  override append(unit: number, source: number): void {
    const { replacement, prepend, splits } = this.#metaspace;
    const replaced = unit === SPACE ? replacement : unit;
    if (this.#isAtCut) {
      this.#isAtCut = false;
      // It comes from the first character, as in the reference.
      if (replaced !== replacement && (prepend === 'always' || (prepend === 'first' && this.#source.startOf(source) === 0)))
        super.append(replacement, source);
    } else if (replaced === replacement && splits) super.flush();
    super.append(replaced, source);
  }

  override flush(): void {
    super.flush();
    this.#isAtCut = true;
  }

  override isolate(unit: number, source: number): void {
    this.append(unit, source);
    this.flush();
  }
}
