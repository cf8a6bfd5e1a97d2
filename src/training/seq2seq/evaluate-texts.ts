import type { Call } from '../../calls/call.js';
import type { Model } from '../../models/index.js';
import type { ReadPredictions } from '../collators/collator.js';
import { rowsOf, type Dataset } from '../datasets/dataset.js';
import type { Row } from '../datasets/row.js';
import { Seq2SeqCollator, type PairExample, type Seq2SeqOptions } from './collator.js';
import { textWriter, type WritingOptions } from './text-writer.js';

/** What `evaluateTexts` is told. */
export interface EvaluateTextsOptions {
  readonly rows: Omit<Seq2SeqOptions, 'generates'>;
  readonly generation: WritingOptions;
  /** Texts that are read at once, and then written. */
  readonly batchSize: number;
  readonly signal?: AbortSignal | undefined;
}

/** Writes a text for each row of a dataset, and reads what it should be. Errors: NO_HEAD, CONFIG, DATASET, those of `generate`. */
export async function evaluateTexts(
  call: Call,
  model: Model,
  dataset: Dataset<Row>,
  { rows, generation, batchSize, signal }: EvaluateTextsOptions,
): Promise<ReadPredictions> {
  const collator = new Seq2SeqCollator(model, { ...rows, generates: true });
  const writer = textWriter(model, generation);
  const [predictions, labels]: [unknown[], unknown[]] = [[], []];
  let waiting: PairExample[] = [];
  const write = async (): Promise<void> => {
    if (waiting.length === 0) return;
    const batch = collator.collate(waiting);
    waiting = [];
    predictions.push(...(await writer.write(batch, { signal })));
    labels.push(...batch.read(new Float32Array(0)).labels);
  };
  let index = 0;
  for await (const row of rowsOf(dataset)) {
    waiting.push(await call.read(collator.encode(row, index++)));
    if (waiting.length >= batchSize) await write();
  }
  await write();
  collator.warn();
  return { predictions, labels };
}
