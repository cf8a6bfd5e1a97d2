import { integer, readOptions } from '../../options.js';
import type { TrainingArguments } from '../arguments/training-arguments.js';
import type { ColumnNames } from '../datasets/columns.js';
import type { Dataset } from '../datasets/dataset.js';
import type { Row } from '../datasets/row.js';
import { LearningModel } from '../program/learning-model.js';
import { wordMetrics } from '../seq2seq/metrics.js';
import { learningArguments } from '../trainer/learning-arguments.js';
import { madeFor } from '../trainer/trainable-model.js';
import type { TrainerOptions } from '../trainer/trainer.js';
import { TextGenerationCollator, type TextGenerationOptions } from './collator.js';

/** What a decoder alone learns: each word of a text from those before it. */
export const textGeneration = 'text-generation';

/** How texts are read. */
export interface TextReading {
  readonly columns?: ColumnNames | undefined;
  readonly collator?: Pick<TextGenerationOptions, 'maxLength'> | undefined;
}

interface PreparedTexts {
  readonly learning: LearningModel;
  readonly parts: Omit<TrainerOptions<Row>, 'model' | 'args' | 'callbacks'>;
}

/**
 * Opens a decoder alone that learns texts. Evaluations count words that are right, the words before them given.
 *
 * Errors: INVALID_OPTION, MAX_LENGTH, CONFIG, CONFIG_UNSUPPORTED (no decoder alone), those of `LearningModel.load`.
 */
export async function prepareTexts(
  directory: string,
  { trainRows, evalRows }: { readonly trainRows: Dataset<Row>; readonly evalRows: Dataset<Row> | undefined },
  { columns, collator }: TextReading,
  args: TrainingArguments,
): Promise<PreparedTexts> {
  const reading = readOptions(`the collator of ${textGeneration}`, collator, { maxLength: integer(1, 1 << 20) });
  const learning = await LearningModel.load(directory, { ...learningArguments(args), task: 'causal-lm' });
  return madeFor(learning, () => {
    const dataCollator = new TextGenerationCollator(learning.model, { columns, ...reading });
    const parts = { trainDataset: trainRows, ...(evalRows && { evalDataset: evalRows }), dataCollator };
    return { learning, parts: { ...parts, computeMetrics: wordMetrics } };
  });
}
