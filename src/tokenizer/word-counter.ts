import { fuseSteps } from './normalizers/steps.js';
import type { NormalizerOptions } from './normalizers/options.js';
import { AddedTokenMatcher } from './scanning/added/added-tokens.js';
import { characterTable } from './scanning/character-table.js';
import { bertPreTokenizer } from './scanning/pre-tokenizer.js';
import { SequenceEncoder } from './scanning/sequence-encoder.js';
import { UnitMap } from './vocabulary/unit-map.js';
import { textOf } from './vocabulary/vocabulary.js';
import type { WordModel } from './vocabulary/word-model.js';

/** A model whose tokens are the words that it has been asked for, numbered as they come. */
class AllWords implements WordModel {
  readonly unkId = undefined;
  readonly maxInputCharsPerWord = Infinity;
  readonly pieces = Int32Array.of(0);
  readonly words = new UnitMap(1 << 12, 1 << 15);

  find(units: Uint16Array, length: number, hash: number): number {
    return this.words.entry(units, 0, length, hash, 0);
  }

  split(): number {
    return 0;
  }
}

/** Counts the words of texts as BERT's normalizer and pre-tokenizer cut them. Special tokens are text like any other. */
export class WordCounter {
  readonly #model = new AllWords();
  readonly #encoder: SequenceEncoder;
  /** Words in the order of their first occurrence. */
  readonly #order: number[] = [];
  /** [words] */
  #counts = new Float64Array(1 << 12);
  #total = 0;

  constructor(normalizer: NormalizerOptions) {
    const matcher = new AddedTokenMatcher(new Map());
    const steps = [{ type: 'BertNormalizer', ...normalizer }] as const;
    const fused = fuseSteps(steps)!;
    this.#encoder = new SequenceEncoder({
      steps,
      fused: { normalizer: fused, table: characterTable(fused, matcher.firstUnits, bertPreTokenizer) },
      preTokenizer: bertPreTokenizer,
      plainSearch: undefined,
      model: this.#model,
      matcher,
      normalizedMatcher: undefined,
      trimOffsets: undefined,
    });
  }

  /** Different words so far. */
  get size(): number {
    return this.#order.length;
  }

  /** Words so far, each time that they occur. */
  get total(): number {
    return this.#total;
  }

  /** Starts a text of any length; `run` reads it. */
  begin(text: string): void {
    this.#encoder.begin(text, Infinity, false, true);
  }

  /** Reads about `maxUnits` more UTF-16 units; true when the text is read and counted. */
  run(maxUnits: number): boolean {
    if (!this.#encoder.run(maxUnits)) return false;
    const { ids, count } = this.#encoder.tokens;
    if (this.#counts.length < this.#model.words.size) {
      const counts = new Float64Array(2 * this.#model.words.size);
      counts.set(this.#counts);
      this.#counts = counts;
    }
    for (let i = 0; i < count; i++) {
      const word = ids[i]!;
      if (this.#counts[word]!++ === 0) this.#order.push(word);
    }
    this.#total += count;
    this.#encoder.end();
    return true;
  }

  /** Words and how often they occur, in the order of their first occurrence. */
  *counts(): Generator<readonly [word: string, count: number]> {
    for (const word of this.#order) yield [textOf(this.#model.words.key(word)), this.#counts[word]!];
  }
}
