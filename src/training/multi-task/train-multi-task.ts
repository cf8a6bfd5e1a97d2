import { quote } from '../../checkpoint/describe.js';
import { unexpected, wrongOption } from '../../expected.js';
import { readModelPath, resolveModel, type ModelPath } from '../../hub/index.js';
import { abortSignal, oneOf, readOptions, text, type Check } from '../../options.js';
import type { Model } from '../../models/model.js';
import { defaultModelDirectory } from '../../runtime/default-model.js';
import { numberWithin } from '../arguments/checks.js';
import { splitOptions } from '../arguments/split-options.js';
import type { TrainingArguments, TrainingArgumentsOptions } from '../arguments/training-arguments.js';
import type { TrainerCallback } from '../callbacks/callback.js';
import { openDataset, type Row } from '../datasets/index.js';
import { isArrayDataset } from '../datasets/dataset.js';
import type { ComputeMetrics } from '../trainer/evaluation.js';
import { prepareHead, type HeadOptions, type PreparedHead } from '../trainer/prepare-head.js';
import { headSchema, trainTasks, type DatasetSource } from '../trainer/train.js';
import { madeFor } from '../trainer/trainable-model.js';
import { Trainer, type TrainOptions } from '../trainer/trainer.js';
import { headsEvaluator, type EvaluatedHead } from './evaluate-heads.js';
import { HeadsCollator, type HeadRow } from './heads-collator.js';
import { planHeads, type HeadSampling } from './plan-heads.js';
import { SeveralHeads } from './several-heads.js';

/** One of several heads: its name, what it learns, and from which rows. */
export interface MultiTaskHead extends HeadOptions {
  /** The folder that it is saved in, and what its metrics begin with. */
  readonly name: string;
  /** Rows in memory, or a file of up to 256 MiB. */
  readonly trainDataset: DatasetSource;
  readonly evalDataset?: DatasetSource;
  /** Default: the task's usual scores. */
  readonly computeMetrics?: ComputeMetrics;
}

/** Options of `trainMultiTask`: the heads, how often each of them learns, and all training arguments. */
export interface MultiTaskOptions extends TrainingArgumentsOptions, TrainOptions, Partial<HeadSampling> {
  readonly heads: readonly MultiTaskHead[];
  /**
   * A head's share of the batches: 'proportional' (default) to the batches that its rows make, to their number ^ (1 / temperature) with 'temperature', or
   * 'uniform', the same for all.
   */
  readonly sampling?: HeadSampling['sampling'];
  /** Of 'temperature': 1 is 'proportional', larger is nearer to 'uniform'. Default 2. */
  readonly temperature?: number;
  readonly callbacks?: readonly TrainerCallback[];
}

/** What `trainMultiTask` gives; all but the metrics by the heads' names. */
export interface MultiTaskModels {
  /** Each a model of its own, ready to be used. They hold native memory until `dispose`. */
  readonly models: Readonly<Record<string, Model>>;
  /** Of the training, and of each head's evalDataset at its end, as `eval_NAME_…`. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Tensors that the checkpoint did not have, and those that had another size there. */
  readonly newlyInitialized: Readonly<Record<string, readonly string[]>>;
  readonly replaced: Readonly<Record<string, readonly string[]>>;
}

const anything: Check<unknown> = (value) => value;
const schema = {
  heads: anything,
  sampling: oneOf(['proportional', 'temperature', 'uniform']),
  temperature: numberWithin({ min: 0, above: true }),
  callbacks: anything,
  signal: abortSignal,
  resumeFromCheckpoint: anything,
};
const ownSchema = {
  name: text,
  task: oneOf(trainTasks.filter((task) => task !== 'sentence-embedding')),
  trainDataset: anything,
  ...headSchema,
};

/**
 * Fine-tunes several heads on one encoder, whose weights, gradients and moments are in memory once. Each batch is of one head; how often it is a head's turn,
 * `sampling` says. With `outputDir` each head is saved in a folder of its own name, as a whole model (with `lora` an adapter) that `loadModel` and
 * transformers load.
 *
 * ```js
 * const { models, metrics } = await trainMultiTask('path/to/bert', {
 *   heads: [
 *     { name: 'sentiment', task: 'text-classification', trainDataset: 'reviews.jsonl', evalDataset: 'dev.jsonl' },
 *     { name: 'entities', task: 'token-classification', trainDataset: 'train.conll' },
 *   ],
 *   sampling: 'temperature', outputDir: 'my-models',
 * });
 * ```
 *
 * Errors: INVALID_OPTION (names that cannot be folders or are there twice, an unknown task), INVALID_ARG (a head without rows), DATASET, INVALID_LABEL; those of
 * `loadModel` and of `Trainer.train`.
 */
export async function trainMultiTask(model: ModelPath | undefined, options: MultiTaskOptions): Promise<MultiTaskModels> {
  const { own, args } = splitOptions<Omit<MultiTaskOptions, keyof TrainingArgumentsOptions>>('trainMultiTask', options, schema);
  const given = readHeads(own.heads);
  const sampling = readSampling(own);
  own.signal?.throwIfAborted();
  const directory = model === undefined ? defaultModelDirectory() : await resolveModel(readModelPath(model, 'trainMultiTask'), {}, 'model');
  const heads: OpenedHead[] = [];
  for (const head of given) heads.push(await openHead(directory, head, args));
  const learning = await SeveralHeads.load(
    directory,
    heads.map(({ name, prepared }) => [name, prepared.learning]),
    { ...sampling },
  );
  const { trainer, evaluated } = madeFor(learning, () => trainerOf(learning, heads, { own, args, sampling }));
  try {
    const { signal, resumeFromCheckpoint = false } = own;
    const stoppable = signal === undefined ? {} : { signal };
    const { metrics } = await trainer.train({ resumeFromCheckpoint, ...stoppable });
    const scores = evaluated.length > 0 ? await trainer.evaluate(undefined, stoppable) : {};
    if (args.outputDir !== undefined) await trainer.saveModel(args.outputDir);
    const byName = <T>(of: (head: (typeof learning.heads)[number]) => T): Record<string, T> =>
      Object.fromEntries(learning.heads.map((head, i) => [heads[i]!.name, of(head)]));
    const models: Record<string, Model> = {};
    for (const [i, head] of learning.heads.entries()) models[heads[i]!.name] = await head.snapshot();
    return {
      models,
      metrics: { ...metrics, ...scores },
      newlyInitialized: byName(({ training }) => training.newlyInitialized),
      replaced: byName(({ training }) => training.replaced),
    };
  } finally {
    trainer.dispose();
  }
}

interface Run {
  readonly own: Partial<Omit<MultiTaskOptions, keyof TrainingArgumentsOptions>>;
  readonly args: TrainingArguments;
  readonly sampling: HeadSampling;
}

interface RunOfHeads {
  readonly trainer: Trainer<HeadRow>;
  readonly evaluated: readonly EvaluatedHead[];
}

function trainerOf(learning: SeveralHeads, heads: readonly OpenedHead[], { own, args, sampling }: Run): RunOfHeads {
  const collators = heads.map(({ prepared }, i) => prepared.collatorOf(learning.heads[i]!.model));
  const evaluated = heads.flatMap(({ name, held, computeMetrics }, i): EvaluatedHead[] =>
    held === undefined ? [] : [{ name, model: learning.heads[i]!, rows: held, collator: collators[i]!, computeMetrics }],
  );
  const trainer = new Trainer<HeadRow>({
    model: learning,
    args,
    trainDataset: heads.flatMap(({ rows }, head) => rows.map((row, index) => ({ head, row, index }))),
    dataCollator: new HeadsCollator(collators),
    planBatches: planHeads(
      heads.map(({ name }) => name),
      sampling,
    ),
    ...(evaluated.length > 0 && { evaluator: headsEvaluator(evaluated, args, own.signal) }),
    callbacks: [learning.callback, ...(own.callbacks ?? [])],
  });
  return { trainer, evaluated };
}

interface OpenedHead {
  readonly name: string;
  readonly rows: readonly Row[];
  readonly held: Awaited<ReturnType<typeof openDataset>> | undefined;
  readonly prepared: PreparedHead;
  readonly computeMetrics: ComputeMetrics;
}

async function openHead(directory: string, head: MultiTaskHead, args: TrainingArguments): Promise<OpenedHead> {
  const { name, trainDataset, evalDataset, computeMetrics } = head;
  const rows = await openDataset(trainDataset);
  if (!isArrayDataset(rows)) {
    throw unexpected('INVALID_ARG', `rows in memory, or a file of up to 256 MiB, for head ${quote(name)}`, 'a stream or a larger file');
  }
  if (rows.length === 0) throw unexpected('INVALID_ARG', `at least one row to learn from for head ${quote(name)}`, 0);
  const held = evalDataset === undefined ? undefined : await openDataset(evalDataset);
  const prepared = await prepareHead(directory, rows, head, args);
  return { name, rows, held, prepared, computeMetrics: computeMetrics ?? prepared.computeMetrics };
}

/** Names that folders can have everywhere, beside those of checkpoints. */
const kName = /^(?!checkpoint-\d+$)[\p{L}\p{N}][\p{L}\p{M}\p{N}_-]*$/u;

function readHeads(heads: readonly MultiTaskHead[] | undefined): readonly MultiTaskHead[] {
  if (!Array.isArray(heads) || heads.length === 0) throw wrongOption('a list of one or more heads for trainMultiTask option heads', heads);
  const names = new Set<string>();
  return heads.map((given: unknown, i) => {
    const call = `trainMultiTask, heads[${i}]`;
    const head = readOptions(call, given, ownSchema) as Partial<MultiTaskHead>;
    for (const needed of ['name', 'task', 'trainDataset'] as const) {
      if (head[needed] === undefined) throw unexpected('INVALID_OPTION', `a value for ${call} option ${needed}`, 'none');
    }
    const name = head.name!;
    if (!kName.test(name)) throw unexpected('INVALID_OPTION', `letters, digits, _ and - for ${call} option name`, quote(name));
    // Folders' names may go without case.
    if (names.has(name.toLowerCase())) throw unexpected('INVALID_OPTION', 'another name for each head', `${quote(name)} twice`);
    names.add(name.toLowerCase());
    return head as MultiTaskHead;
  });
}

function readSampling({ sampling = 'proportional', temperature }: Partial<HeadSampling>): HeadSampling {
  if (temperature !== undefined && sampling !== 'temperature') {
    throw unexpected('INVALID_OPTION', 'sampling "temperature" for a temperature', `"${sampling}"`);
  }
  return { sampling, temperature: temperature ?? 2 };
}
