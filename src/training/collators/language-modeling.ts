import { atOnce, type TextModel } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import { argmax } from '../../tasks/scoring/scores.js';
import type { Encoding } from '../../tokenizer/index.js';
import { Random } from '../datasets/random.js';
import type { Row } from '../datasets/row.js';
import type { CollatedBatch, Collator, Draw, Example, ReadPredictions } from './collator.js';
import { Masking, tokensAsWords, wordsByOffset, wordsByPrefix, type MaskingOptions, type TokenWords } from './masking.js';
import { countTokens, packExamples } from './pack.js';
import { RowReader, sequenceOf, type RowOptions } from './row-reader.js';

/** Options of `LanguageModelingCollator`. */
export interface LanguageModelingOptions extends RowOptions, MaskingOptions {}

/** A window of a text whose tokens may be masked. */
export interface MaskedExample extends Example {
  /** Of each sequence. */
  readonly words: readonly TokenWords[];
}

/** Texts of any length, which are read in windows that share nothing. Special tokens are never predicted. */
export class LanguageModelingCollator implements Collator<Row, MaskedExample> {
  readonly #reader: RowReader;
  readonly #special: ReadonlySet<number>;
  readonly #masking: Masking;
  readonly #vocabSize: number;

  /** Errors: INVALID_OPTION for shares that do not fit, NO_MASK for a tokenizer without [MASK]. */
  constructor(model: TextModel, options: LanguageModelingOptions) {
    const { maskId, vocabSize } = model.tokenizer;
    if (maskId === undefined) throw unexpected('NO_MASK', 'a tokenizer with [MASK]', 'one without it');
    this.#masking = new Masking({ maskId, vocabSize }, options);
    this.#reader = new RowReader(model, options, { stride: 0, overflow: true, offsets: this.#masking.wholeWords });
    this.#special = specialIds(model);
    this.#vocabSize = vocabSize;
  }

  *encode(row: Row, index: number): Generator<void, MaskedExample> {
    const encoding = yield* this.#reader.encode(this.#reader.columns.text(row, 'text', index), row, index);
    const encodings = [encoding, ...encoding.overflowing];
    const sequences = encodings.map(sequenceOf);
    return { index, sequences, tokens: countTokens(sequences), words: encodings.map((each) => this.#wordsOf(each)) };
  }

  #wordsOf({ ids, tokens, offsets }: Encoding): TokenWords {
    const isSpecial = (token: number): boolean => this.#special.has(ids[token]!);
    if (!this.#masking.wholeWords) return tokensAsWords(ids.length, isSpecial);
    return this.#masking.rule === 'google' ? wordsByPrefix(tokens, isSpecial) : wordsByOffset(offsets!, isSpecial);
  }

  collate(examples: readonly MaskedExample[], { seed, epoch }: Draw): CollatedBatch {
    const packed = packExamples(examples);
    const { inputIds, cuSeqlens } = packed;
    const selected: number[] = [];
    const labels: number[] = [];
    const cuSelected = new Int32Array(cuSeqlens.length);
    const numSelected: number[] = [];
    let sequence = 0;
    for (const { index, words } of examples) {
      const random = new Random(seed, epoch, index);
      const before = selected.length;
      for (const each of words) {
        const drawn = this.#masking.apply(inputIds.subarray(cuSeqlens[sequence], cuSeqlens[sequence + 1]), each, random);
        selected.push(...drawn.selected);
        labels.push(...drawn.labels);
        cuSelected[++sequence] = selected.length;
      }
      numSelected.push(selected.length - before);
    }
    const width = this.#vocabSize;
    const readSlices = function* (logits: Float32Array): Generator<void, ReadPredictions> {
      // A model may have more rows than its tokenizer has words.
      const columns = selected.length === 0 ? width : logits.length / selected.length;
      const words: number[] = [];
      for (let i = 0; i < selected.length; i++) {
        words.push(argmax(logits.subarray(i * columns, (i + 1) * columns)));
        yield;
      }
      const deal = (values: readonly number[]): number[][] => {
        let at = 0;
        return numSelected.map((count) => values.slice(at, (at += count)));
      };
      return { predictions: deal(words), labels: deal(labels) };
    };
    return {
      rows: examples.length,
      tokens: inputIds.length,
      numItems: [selected.length],
      batch: { ...packed, selected: Int32Array.from(selected), cuSelected, labels: Int32Array.from(labels) },
      read: (logits) => atOnce(readSlices(logits)),
      readSlices,
    };
  }

  warn(): void {
    this.#reader.warn();
  }
}

/** The ids of special tokens, wherever they stand. */
export function specialIds({ tokenizer }: TextModel): ReadonlySet<number> {
  return new Set(tokenizer.specialTokens.flatMap((token) => tokenizer.tokenToId(token) ?? []));
}
