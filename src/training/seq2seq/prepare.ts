import { isJsonObject, JsonFields, type JsonObject } from '../../checkpoint/json-fields.js';
import { unexpected } from '../../expected.js';
import { openModelDirectory, type ModelDirectory } from '../../models/model-directory.js';
import { integer, readOptions, text } from '../../options.js';
import type { TrainingArguments } from '../arguments/training-arguments.js';
import type { ColumnNames } from '../datasets/columns.js';
import type { Dataset } from '../datasets/dataset.js';
import type { Row } from '../datasets/row.js';
import { LearningModel } from '../program/learning-model.js';
import { learningArguments } from '../trainer/learning-arguments.js';
import { madeFor } from '../trainer/trainable-model.js';
import type { TrainerOptions } from '../trainer/trainer.js';
import { Seq2SeqCollator, type Seq2SeqOptions } from './collator.js';
import { textMetrics, wordMetrics } from './metrics.js';
import type { Seq2SeqTask } from './tasks.js';
import { textWriter, type WritingOptions } from './text-writer.js';

/** How the pairs of a run are read. */
export type PairReading = Pick<Seq2SeqOptions, 'maxLength' | 'maxTargetLength' | 'sourcePrefix'>;

/** What `preparePairs` is told. */
interface Pairs {
  readonly task: Seq2SeqTask;
  readonly columns?: ColumnNames | undefined;
  readonly collator?: PairReading | undefined;
}

/** Pairs to learn from, and to score on. */
interface PairRows {
  readonly trainRows: Dataset<Row>;
  readonly evalRows: Dataset<Row> | undefined;
}

interface PreparedPairs {
  readonly learning: LearningModel;
  readonly parts: Omit<TrainerOptions<Row>, 'model' | 'args' | 'callbacks'>;
}

const kReading = { maxLength: integer(1, 1 << 20), maxTargetLength: integer(2, 1 << 20), sourcePrefix: text };

/**
 * Opens an encoder-decoder that learns pairs of texts. Evaluations count words that are right, the words before them given; with `predictWithGenerate` texts are written by a copy of
 * the weights as they are then, and scored as the task's are.
 *
 * Errors: INVALID_OPTION, MAX_LENGTH, CONFIG, CONFIG_UNSUPPORTED (no encoder-decoder, dropout that is not trained), those of `LearningModel.load`.
 */
export async function preparePairs(directory: string, rows: PairRows, pairs: Pairs, args: TrainingArguments): Promise<PreparedPairs> {
  const { task, columns } = pairs;
  const reading = { columns, ...readOptions(`the collator of ${task}`, pairs.collator, kReading) };
  const { config } = await configOf(directory);
  if (config.decoder === undefined) {
    throw unexpected('CONFIG_UNSUPPORTED', `an encoder-decoder for ${task}`, config.architectures[0] ?? config.modelType, {
      hint: 'encoderDecoderFrom (--encoder, --decoder) makes one of two encoders.',
    });
  }
  refuseOtherDropout(config.raw);
  const freeze = args.freeze.flatMap((module) => (module === 'encoder' && isOfTwoModels(config) ? kEncoder : module));
  const learning = await LearningModel.load(directory, { ...learningArguments(args), freeze, task: 'seq2seq' });
  return madeFor(learning, () => {
    const { predictWithGenerate: generates, generationMaxLength, generationNumBeams } = args;
    const dataCollator = new Seq2SeqCollator(learning.model, reading);
    const { trainRows, evalRows } = rows;
    const parts = { trainDataset: trainRows, ...(evalRows && { evalDataset: evalRows }), dataCollator };
    if (!generates) return { learning, parts: { ...parts, computeMetrics: wordMetrics } };
    const writing: WritingOptions = { maxLength: generationMaxLength, numBeams: generationNumBeams };
    return {
      learning,
      parts: {
        ...parts,
        evalCollator: new Seq2SeqCollator(learning.model, { ...reading, generates }),
        openWriter: async () => textWriter(await learning.snapshot(), writing),
        computeMetrics: textMetrics(task),
      },
    };
  });
}

async function configOf(directory: string): Promise<ModelDirectory> {
  const opened = await openModelDirectory(directory);
  await opened.close();
  return opened;
}

/** What `encoder` names of an EncoderDecoderModel, whose decoder has a module of that name as well. */
const kEncoder = ['encoder.embeddings', 'encoder.encoder'];

function isOfTwoModels({ raw, decoder }: ModelDirectory['config']): boolean {
  return decoder !== undefined && isJsonObject(raw['encoder']);
}

/** Errors: CONFIG_UNSUPPORTED for rates that Marian and BART can have beside those that are trained. */
function refuseOtherDropout(raw: JsonObject): void {
  const fields = new JsonFields(raw, 'config.json', 'CONFIG');
  for (const key of ['activation_dropout', 'encoder_layerdrop', 'decoder_layerdrop']) {
    const rate = fields.get(key) ?? 0;
    if (rate === 0) continue;
    throw unexpected('CONFIG_UNSUPPORTED', `${JSON.stringify(key)} of 0 in config.json for training`, JSON.stringify(rate), {
      hint: 'Dropout of activations and of whole layers is not trained: set it to 0.',
    });
  }
}
