import { atOnce } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import { readSettings } from '../../generation/settings.js';
import type { Model } from '../../models/index.js';
import { joined } from '../../runtime/batch.js';
import { argmax } from '../../tasks/scoring/scores.js';
import type { Encoding } from '../../tokenizer/index.js';
import type { CollatedBatch, Collator, Example, ReadPredictions } from '../collators/collator.js';
import { countTokens, packExamples } from '../collators/pack.js';
import { RowReader, type RowOptions } from '../collators/row-reader.js';
import type { Row } from '../datasets/row.js';

/** Options of `TextGenerationCollator`. */
export type TextGenerationOptions = RowOptions;

/** A text and, at each of its tokens, the one that follows. */
export interface ContinuedExample extends Example {
  /** Of each sequence, [tokens]: the next token; -100 where it is not learned. */
  readonly labels: readonly Int32Array[];
}

/** What does not count. */
const kIgnored = -100;

/**
 * Texts for a decoder alone, each token learned from those before it: rows with `text`, read in windows that share nothing, or with `prompt` and
 * `completion`, of which the completion is learned. A text begins as the tokenizer begins it, [CLS] for BERT, and ends with the model's end token, which is learned; a window
 * of a longer text has no end. Errors of `encode`: DATASET, INPUT_TOO_LARGE.
 */
export class TextGenerationCollator implements Collator<Row, ContinuedExample> {
  readonly #rows: RowReader;
  readonly #begin: Int32Array;
  readonly #endId: number;
  readonly #longest: number;

  /** Errors: NO_HEAD (no decoder alone), CONFIG (no end token), INVALID_OPTION, MAX_LENGTH. */
  constructor(model: Model, { columns, maxLength }: TextGenerationOptions = {}) {
    const { config, tokenizer } = model;
    if (!config.isDecoder) {
      throw unexpected('NO_HEAD', 'a decoder alone (is_decoder) for the dataset', config.architectures[0] ?? config.modelType, {
        hint: 'decoderFrom makes one of an encoder, createModel one that has learned nothing.',
      });
    }
    const most = config.maxSequenceLength;
    const longest = maxLength ?? Math.min(most, model.maxTokens);
    const ends = endsOf(model);
    const framed = tokenizer.encode('').ids;
    this.#begin = ends.has(framed.at(-1) ?? -1) ? framed.slice(0, -1) : framed;
    this.#endId = [...ends][0]!;
    const least = this.#begin.length + 2;
    if (!Number.isInteger(longest) || longest < least || longest > most) {
      throw unexpected('MAX_LENGTH', `a maxLength from ${least} to ${most}, the decoder's positions,`, longest);
    }
    this.#longest = longest;
    const room = longest - this.#begin.length - 1;
    const limits = { tokenizer, maxTokens: room, config: { maxSequenceLength: most } };
    this.#rows = new RowReader(limits, { columns, maxLength: room }, { addSpecialTokens: false, overflow: true, stride: 0 });
  }

  *encode(row: Row, index: number): Generator<void, ContinuedExample | undefined> {
    const { columns } = this.#rows;
    const isPair = columns.get(row, 'prompt') !== undefined && columns.get(row, 'completion') !== undefined;
    if (isPair) return yield* this.#encodePair(row, index);
    const windows = windowsOf(yield* this.#rows.encode(columns.text(row, 'text', index), row, index));
    const sequences = windows.map((ids, i) => [...this.#begin, ...ids, ...(i === windows.length - 1 ? [this.#endId] : [])]);
    return exampleOf(index, sequences, 1);
  }

  *#encodePair(row: Row, index: number): Generator<void, ContinuedExample | undefined> {
    const { columns } = this.#rows;
    const prompt = windowsOf(yield* this.#rows.encode(columns.text(row, 'prompt', index), row, index)).flatMap((ids) => [...ids]);
    const completion = windowsOf(yield* this.#rows.encode(columns.text(row, 'completion', index), row, index)).flatMap((ids) => [...ids]);
    const begin = [...this.#begin, ...prompt];
    if (begin.length >= this.#longest) {
      this.#rows.note(`were left out: its prompt fills the ${this.#longest} tokens`, row, index);
      return undefined;
    }
    const whole = [...begin, ...completion, this.#endId];
    if (whole.length > this.#longest) this.#rows.note(`were cut at ${this.#longest} tokens`, row, index);
    return exampleOf(index, [whole.slice(0, this.#longest)], begin.length);
  }

  collate(examples: readonly ContinuedExample[]): CollatedBatch {
    const packed = packExamples(examples);
    const labels = joined(
      examples.flatMap((each) => each.labels),
      (length) => new Int32Array(length),
    );
    const readSlices = (logits: Float32Array): Generator<void, ReadPredictions> => likeliest(logits, examples, labels.length);
    return {
      rows: examples.length,
      tokens: packed.inputIds.length,
      numItems: [labels.reduce((count, label) => count + (label < 0 ? 0 : 1), 0)],
      batch: { ...packed, labels },
      read: (logits) => atOnce(readSlices(logits)),
      readSlices,
    };
  }

  warn(): void {
    this.#rows.warn();
  }
}

/** The ids that end a text: what the model's files say, the first the one to learn, and what the tokenizer ends texts with. Errors: CONFIG. */
function endsOf({ config, generationConfig, tokenizer }: Model): ReadonlySet<number> {
  const limits = { maxLength: config.maxSequenceLength, vocabSize: config.vocabSize, isEncoderDecoder: false };
  const { values } = readSettings('the dataset', {}, { generationConfig, config: config.raw }, limits);
  const ends = values.eosTokenId!;
  if (ends.length === 0) {
    throw unexpected('CONFIG', '"eos_token_id" in generation_config.json or config.json, without which no text learns to end,', 'none');
  }
  return new Set([...ends, tokenizer.sepId, tokenizer.eosId].filter((id) => id !== undefined));
}

function windowsOf({ ids, overflowing }: Encoding): Int32Array[] {
  return [ids, ...overflowing.map((each) => each.ids)];
}

/** A row whose sequences are learned from their token `begin` on; undefined where there is none. */
function exampleOf(index: number, rows: readonly (readonly number[])[], begin: number): ContinuedExample | undefined {
  const sequences = rows.filter(({ length }) => length > begin).map((ids) => ({ ids: Int32Array.from(ids) }));
  if (sequences.length === 0) return undefined;
  const labels = sequences.map(({ ids }) => {
    const next = new Int32Array(ids.length).fill(kIgnored);
    next.set(ids.subarray(begin), begin - 1);
    return next;
  });
  return { index, sequences, tokens: countTokens(sequences), labels };
}

/** Of each row the likeliest word at each place that counts, the words before it given. */
function* likeliest(logits: Float32Array, examples: readonly ContinuedExample[], tokens: number): Generator<void, ReadPredictions> {
  const width = logits.length / tokens;
  const [predictions, wanted]: [Int32Array[], Int32Array[]] = [[], []];
  let at = 0;
  for (const { labels } of examples) {
    const best: number[] = [];
    const known: number[] = [];
    for (const label of labels.flatMap((each) => [...each])) {
      const begin = at++ * width;
      if (label < 0) continue;
      best.push(argmax(logits.subarray(begin, begin + width)));
      known.push(label);
      yield;
    }
    predictions.push(Int32Array.from(best));
    wanted.push(Int32Array.from(known));
  }
  return { predictions, labels: wanted };
}
