import { atOnce } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import type { Model } from '../../models/index.js';
import { joined } from '../../runtime/batch.js';
import { argmax } from '../../tasks/scoring/scores.js';
import type { CollatedBatch, Collator, Example, ReadPredictions } from '../collators/collator.js';
import { packExamples } from '../collators/pack.js';
import { RowReader, sequenceOf, type RowOptions } from '../collators/row-reader.js';
import type { Row } from '../datasets/row.js';
import { writerOf, type Writer } from './writer.js';

/** Options of `Seq2SeqCollator`. */
export interface Seq2SeqOptions extends RowOptions {
  /** Longest text that is to be written, in tokens, its end token included. Default: the decoder's positions. */
  readonly maxTargetLength?: number | undefined;
  /** What every source begins with, such as `'>>de<< '`. Default: nothing. */
  readonly sourcePrefix?: string | undefined;
  /** Whether a batch is read for texts, which are written from it, instead of for the likeliest words. Default false. */
  readonly generates?: boolean | undefined;
}

/** A text, and what is to be written of it. */
export interface PairExample extends Example {
  /** The target's ids, its end token the last. */
  readonly labels: Int32Array;
}

/**
 * Pairs of texts for an encoder-decoder: rows with `source` and `target` (usual names such as `article` and `summary` are found), or with a `translation`
 * object of both. The decoder reads the start token and the target without its end, and learns the target with its end; special tokens that the tokenizer puts around
 * texts are not learned. Errors of `encode`: DATASET, MAX_LENGTH.
 */
export class Seq2SeqCollator implements Collator<Row, PairExample> {
  readonly #sources: RowReader;
  readonly #targets: RowReader;
  readonly #writer: Writer;
  readonly #prefix: string;
  readonly #decode: ((ids: Int32Array) => string) | undefined;

  /** Errors: NO_HEAD, CONFIG, INVALID_OPTION, MAX_LENGTH. */
  constructor(model: Model, { maxTargetLength, sourcePrefix = '', generates = false, ...rows }: Seq2SeqOptions = {}) {
    const writer = writerOf(model, 'the dataset');
    const longest = maxTargetLength ?? writer.maxLength;
    if (!Number.isInteger(longest) || longest < 2 || longest > writer.maxLength) {
      throw unexpected('MAX_LENGTH', `a maxTargetLength from 2 to ${writer.maxLength}, the decoder's positions,`, longest);
    }
    const tokenizer = model.tokenizer.target;
    const limits = { tokenizer, maxTokens: longest - 1, config: { maxSequenceLength: writer.maxLength } };
    this.#sources = new RowReader(model, rows);
    this.#targets = new RowReader(limits, { columns: rows.columns, maxLength: longest - 1 }, { addSpecialTokens: false });
    this.#writer = writer;
    this.#prefix = sourcePrefix;
    this.#decode = generates ? (ids) => tokenizer.decode(ids, { skipSpecialTokens: true }) : undefined;
  }

  *encode(row: Row, index: number): Generator<void, PairExample> {
    const pair = pairOf(row);
    const { columns } = this.#sources;
    const source = this.#prefix + columns.text(pair, 'source', index);
    const sequence = sequenceOf(yield* this.#sources.encode(source, row, index));
    const target = this.#targets.columns.text(pair, 'target', index);
    const { ids } = yield* this.#targets.encode(target, row, index);
    const labels = new Int32Array(ids.length + 1);
    labels.set(ids);
    labels[ids.length] = this.#writer.endId;
    return { index, sequences: [sequence], tokens: sequence.ids.length + labels.length, labels };
  }

  collate(examples: readonly PairExample[]): CollatedBatch {
    const packed = packExamples(examples);
    const cuTarget = new Int32Array(examples.length + 1);
    examples.forEach(({ labels }, i) => (cuTarget[i + 1] = cuTarget[i]! + labels.length));
    const labels = joined(
      examples.map((each) => each.labels),
      (length) => new Int32Array(length),
    );
    const targetIds = new Int32Array(labels.length);
    examples.forEach((each, i) => {
      targetIds[cuTarget[i]!] = this.#writer.startId;
      targetIds.set(each.labels.subarray(0, -1), cuTarget[i]! + 1);
    });
    const readSlices = (logits: Float32Array): Generator<void, ReadPredictions> =>
      this.#decode === undefined ? likeliest(logits, examples, cuTarget) : asTexts(examples, this.#decode);
    return {
      rows: examples.length,
      tokens: packed.inputIds.length + targetIds.length,
      numItems: [labels.length],
      batch: { ...packed, targetIds, cuTarget, labels },
      read: (logits) => atOnce(readSlices(logits)),
      readSlices,
    };
  }

  warn(): void {
    this.#sources.warn();
    this.#targets.warn();
  }
}

/** A row's pair: of rows as the Hub's sets of translations have them, the object inside. */
export function pairOf(row: Row): Row {
  const { translation } = row as { readonly translation?: unknown };
  return typeof translation === 'object' && translation !== null ? (translation as Row) : row;
}

/** Of each row the likeliest word at each place of its target, the words before it given. */
function* likeliest(logits: Float32Array, examples: readonly PairExample[], cuTarget: Int32Array): Generator<void, ReadPredictions> {
  const width = logits.length / cuTarget.at(-1)!;
  const predictions: Int32Array[] = [];
  for (const [i, { labels }] of examples.entries()) {
    const best = new Int32Array(labels.length);
    for (let place = 0; place < best.length; place++) {
      const begin = (cuTarget[i]! + place) * width;
      best[place] = argmax(logits.subarray(begin, begin + width));
      yield;
    }
    predictions.push(best);
  }
  return { predictions, labels: examples.map(({ labels }) => labels) };
}

/** The targets as the tokenizer writes them; the texts beside them are written elsewhere. */
function* asTexts(examples: readonly PairExample[], decode: (ids: Int32Array) => string): Generator<void, ReadPredictions> {
  const labels: string[] = [];
  for (const { labels: ids } of examples) {
    labels.push(decode(ids));
    yield;
  }
  return { predictions: [], labels };
}
