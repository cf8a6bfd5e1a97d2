import type { TextModel } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import { Random } from '../datasets/random.js';
import { describeRow, type Row } from '../datasets/row.js';
import type { CollatedBatch, Collator, Draw, Example } from './collator.js';
import { specialIds } from './language-modeling.js';
import { packExamples, tokenBounds } from './pack.js';
import { RowReader, sequenceOf, type RowOptions } from './row-reader.js';

/** Options of `ReplacedTokenCollator`. */
export interface ReplacedTokenOptions extends RowOptions {
  /** Share of tokens that are replaced where rows have no labels. Default 0.15. */
  readonly replaceProbability?: number | undefined;
}

/** A text some of whose tokens are replaced. */
export interface ReplacedExample extends Example {
  /** [tokens] 1 for a replaced one, 0 for another, NaN for what does not count; undefined: to be drawn. */
  readonly numbers: Float32Array | undefined;
}

/**
 * Texts of which ELECTRA's discriminator is to find the replaced tokens: rows of words with labels 0 or 1 (tokens, labels), or texts alone, in which words
 * of the vocabulary replace a share of the tokens, anew in every epoch. Predictions and labels are 0 or 1 for each token that counts.
 *
 * Errors of `encode`: DATASET, MAX_LENGTH.
 */
export class ReplacedTokenCollator implements Collator<Row, ReplacedExample> {
  readonly #reader: RowReader;
  readonly #special: ReadonlySet<number>;
  readonly #ordinary: Int32Array;
  readonly #share: number;

  constructor(model: TextModel, options: ReplacedTokenOptions) {
    this.#reader = new RowReader(model, options, { offsets: true });
    const special = specialIds(model);
    this.#special = special;
    this.#ordinary = Int32Array.from({ length: model.tokenizer.vocabSize }, (_, id) => id).filter((id) => !special.has(id));
    this.#share = options.replaceProbability ?? 0.15;
  }

  *encode(row: Row, index: number): Generator<void, ReplacedExample> {
    const { columns } = this.#reader;
    const words = columns.get(row, 'tokens');
    const flags = words === undefined ? undefined : columns.require(row, 'tags', index);
    const isList = Array.isArray(words) && Array.isArray(flags) && words.length === flags.length;
    if (words !== undefined && (!isList || !flags.every((flag) => flag === 0 || flag === 1))) {
      throw unexpected('DATASET', `a label of 0 or 1 for each word in ${describeRow(row, index)}`, 'something else');
    }
    const text = isList ? words.join(' ') : columns.text(row, 'text', index);
    const encoding = yield* this.#reader.encode(text, row, index);
    const numbers = isList ? new Float32Array(encoding.length).fill(Number.NaN) : undefined;
    if (isList) {
      const wordAt = Int32Array.from((words as string[]).flatMap((word, i) => new Array<number>(word.length + 1).fill(i)));
      for (let token = 0; token < encoding.length; token++) {
        if (encoding.sequenceIds[token] === 0) numbers![token] = (flags as number[])[wordAt[encoding.offsets![2 * token]!]!]!;
      }
    }
    return { index, sequences: [sequenceOf(encoding)], tokens: encoding.length, numbers };
  }

  collate(examples: readonly ReplacedExample[], draw: Draw): CollatedBatch {
    const packed = packExamples(examples);
    const bounds = tokenBounds(examples);
    const numbers = new Float32Array(packed.inputIds.length);
    examples.forEach((example, i) => {
      const own = example.numbers ?? this.#replace(packed.inputIds.subarray(bounds[i], bounds[i + 1]), example.index, draw);
      numbers.set(own, bounds[i]);
    });
    const counted = examples.map((_, i) =>
      Array.from({ length: bounds[i + 1]! - bounds[i]! }, (_, token) => bounds[i]! + token).filter(
        (token) => !Number.isNaN(numbers[token]),
      ),
    );
    return {
      rows: examples.length,
      tokens: packed.inputIds.length,
      numItems: [counted.reduce((sum, { length }) => sum + length, 0)],
      batch: { ...packed, numbers },
      read: (logits) => ({
        predictions: counted.map((tokens) => tokens.map((token) => (logits[token]! > 0 ? 1 : 0))),
        labels: counted.map((tokens) => tokens.map((token) => numbers[token]!)),
      }),
    };
  }

  warn(): void {
    this.#reader.warn();
  }

  /** Replaces tokens where they lie and returns which are others now. */
  #replace(ids: Int32Array, index: number, { seed, epoch }: Draw): Float32Array {
    const random = new Random(seed, epoch, index);
    return Float32Array.from(ids, (id, i) => {
      if (this.#special.has(id)) return Number.NaN;
      if (random.uniform() >= this.#share) return 0;
      ids[i] = this.#ordinary[random.below(this.#ordinary.length)]!;
      return ids[i] === id ? 0 : 1;
    });
  }
}
