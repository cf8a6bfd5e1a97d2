import type { TextModel } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import { argmax } from '../../tasks/scoring/scores.js';
import { Random } from '../datasets/random.js';
import type { Row } from '../datasets/row.js';
import type { CollatedBatch, Collator, Draw, Example } from './collator.js';
import { countTokens, packExamples } from './pack.js';
import { RowReader, sequenceOf, type RowOptions } from './row-reader.js';

/** Options of `LanguageModelingCollator`; names and defaults are transformers'. */
export interface LanguageModelingOptions extends RowOptions {
  /** Share of tokens to be predicted. Default 0.15. */
  readonly mlmProbability?: number | undefined;
  /** Share of these that become [MASK]. Default 0.8. */
  readonly maskReplaceProb?: number | undefined;
  /** Share of these that become any word of the vocabulary. Default 0.1; the rest stays as it is. */
  readonly randomReplaceProb?: number | undefined;
}

/** Texts of any length, which are read in windows that share nothing. Special tokens are never predicted. */
export class LanguageModelingCollator implements Collator<Row, Example> {
  readonly #reader: RowReader;
  readonly #special: ReadonlySet<number>;
  readonly #maskId: number;
  readonly #vocabSize: number;
  readonly #shares: Readonly<{ predict: number; mask: number; random: number }>;

  /** Errors: INVALID_OPTION for shares that do not fit, NO_MASK for a tokenizer without [MASK]. */
  constructor(model: TextModel, options: LanguageModelingOptions) {
    const { tokenizer } = model;
    this.#reader = new RowReader(model, options, { stride: 0, overflow: true });
    this.#special = specialIds(model);
    if (tokenizer.maskId === undefined) throw unexpected('NO_MASK', 'a tokenizer with [MASK]', 'one without it');
    this.#maskId = tokenizer.maskId;
    this.#vocabSize = tokenizer.vocabSize;
    const { mlmProbability: predict = 0.15, maskReplaceProb: mask = 0.8, randomReplaceProb: random = 0.1 } = options;
    const fits = [predict, mask, random].every((share) => share >= 0 && share <= 1) && mask + random <= 1 + 1e-9;
    if (!fits) {
      throw unexpected(
        'INVALID_OPTION',
        'shares of 0..1 for mlmProbability, maskReplaceProb and randomReplaceProb, the last two 1 at most together',
        `${predict}, ${mask} and ${random}`,
      );
    }
    this.#shares = { predict, mask, random };
  }

  *encode(row: Row, index: number): Generator<void, Example> {
    const encoding = yield* this.#reader.encode(this.#reader.columns.text(row, 'text', index), row, index);
    const sequences = [encoding, ...encoding.overflowing].map(sequenceOf);
    return { index, sequences, tokens: countTokens(sequences) };
  }

  collate(examples: readonly Example[], { seed, epoch }: Draw): CollatedBatch {
    const packed = packExamples(examples);
    const { inputIds, cuSeqlens } = packed;
    const { predict, mask, random: replace } = this.#shares;
    const selected: number[] = [];
    const labels: number[] = [];
    const cuSelected = new Int32Array(cuSeqlens.length);
    const numSelected: number[] = [];
    let sequence = 0;
    for (const { index, sequences } of examples) {
      const random = new Random(seed, epoch, index);
      const before = selected.length;
      for (const { ids } of sequences) {
        for (let position = 0; position < ids.length; position++) {
          const id = ids[position]!;
          if (this.#special.has(id) || random.uniform() >= predict) continue;
          selected.push(position);
          labels.push(id);
          const draw = random.uniform();
          const place = cuSeqlens[sequence]! + position;
          if (draw < mask) inputIds[place] = this.#maskId;
          else if (draw < mask + replace) inputIds[place] = random.below(this.#vocabSize);
        }
        cuSelected[++sequence] = selected.length;
      }
      numSelected.push(selected.length - before);
    }
    const width = this.#vocabSize;
    return {
      rows: examples.length,
      tokens: inputIds.length,
      numItems: [selected.length],
      batch: { ...packed, selected: Int32Array.from(selected), cuSelected, labels: Int32Array.from(labels) },
      read: (logits) => {
        // A model may have more rows than its tokenizer has words.
        const columns = selected.length === 0 ? width : logits.length / selected.length;
        let at = 0;
        const deal = <T>(valueOf: (i: number) => T): T[][] => {
          at = 0;
          return numSelected.map((count) => Array.from({ length: count }, () => valueOf(at++)));
        };
        return { predictions: deal((i) => argmax(logits.subarray(i * columns, (i + 1) * columns))), labels: deal((i) => labels[i]!) };
      },
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
