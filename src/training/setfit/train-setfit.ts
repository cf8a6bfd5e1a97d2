import path from 'node:path';
import { loadEmbedder } from '../../embedding/embed.js';
import { unexpected, wrongOption } from '../../expected.js';
import type { ModelPath } from '../../hub/index.js';
import { trainTextClassifier, type TextClassifier } from '../../learn/index.js';
import { abortSignal, integer, oneOf, type Check } from '../../options.js';
import { record } from '../arguments/checks.js';
import { splitOptions } from '../arguments/split-options.js';
import type { TrainingArgumentsOptions } from '../arguments/training-arguments.js';
import type { TrainerCallback } from '../callbacks/callback.js';
import { Columns, type ColumnNames } from '../datasets/columns.js';
import { rowsOf } from '../datasets/dataset.js';
import { openDataset } from '../datasets/open-dataset.js';
import { describeRow } from '../datasets/row.js';
import { train, type DatasetSource } from '../trainer/train.js';
import { contrastivePairs, pairSamplings, type LabelledText, type PairSampling } from './pairs.js';

/** Options of `trainSetFit`: the data, how pairs are drawn, and all training arguments. */
export interface SetFitOptions extends TrainingArgumentsOptions {
  /** A sentence model: a directory, or an id on the Hub. Default: the bundled model. */
  readonly model?: ModelPath;
  /** A few labelled texts, 8 to 64 of each label. */
  readonly trainDataset: DatasetSource;
  readonly evalDataset?: DatasetSource;
  readonly columns?: ColumnNames;
  /** Default 'oversampling'. */
  readonly samplingStrategy?: PairSampling;
  /** So many pairs of each kind for each text, in place of samplingStrategy. */
  readonly numIterations?: number;
  /** Different pairs of a kind at most. Default 10,000. */
  readonly maxPairs?: number;
  readonly callbacks?: readonly TrainerCallback[];
  readonly signal?: AbortSignal;
}

/** What `trainSetFit` gives. */
export interface SetFitModel {
  /** Classifies by the body's sentence vectors. It holds the body until `dispose`. */
  readonly classifier: TextClassifier;
  /** Of the training of the body; `eval_accuracy` of evalDataset. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Pairs that the body learned from. */
  readonly pairs: number;
}

const anything: Check<unknown> = (value) => value;
const schema = {
  model: anything,
  trainDataset: anything,
  evalDataset: anything,
  columns: record,
  samplingStrategy: oneOf(pairSamplings),
  numIterations: integer(1, 1024),
  maxPairs: integer(1, 1 << 24),
  callbacks: anything,
  signal: abortSignal,
};

/** setfit's defaults, where they are not transformers'. */
const defaults = { numTrainEpochs: 1, perDeviceTrainBatchSize: 16, learningRate: 2e-5, warmupSteps: 0.1, saveStrategy: 'no' } as const;

/**
 * Makes a classifier of few labelled texts (Tunstall et al., 2022: https://arxiv.org/abs/2209.11055): pairs of texts with one label, and with two,
 * teach a sentence model for an epoch; then a logistic regression learns the labels from its vectors. `outputDir`, which is needed, holds the model
 * and beside it classifier.json: `loadTextClassifier` and `bertha classify --classifier` read it.
 *
 * ```js
 * const { classifier } = await trainSetFit({ trainDataset: 'few.jsonl', outputDir: 'my-classifier' });
 * ```
 *
 * Errors: INVALID_OPTION, INVALID_LABEL (fewer than two labels), DATASET; those of `train` and `trainTextClassifier`.
 */
export async function trainSetFit(options: SetFitOptions): Promise<SetFitModel> {
  type Own = Omit<SetFitOptions, keyof TrainingArgumentsOptions>;
  const { own, args } = splitOptions<Own>('trainSetFit', { ...defaults, ...options }, schema);
  if (own.trainDataset === undefined) throw wrongOption('labelled texts for trainSetFit option trainDataset', undefined);
  if (args.outputDir === undefined) throw wrongOption('a directory for trainSetFit option outputDir', undefined);
  if (args.lora !== undefined)
    throw wrongOption('no adapter for trainSetFit, whose classifier needs a whole model, in option lora', args.lora);
  const { samplingStrategy: sampling = 'oversampling', numIterations: iterations, maxPairs = 10_000, columns, signal } = own;
  const texts = await readTexts(own.trainDataset, columns);
  const labels = new Set(texts.map(({ label }) => label));
  if (labels.size < 2) throw unexpected('INVALID_LABEL', 'texts with two labels or more for trainSetFit', [...labels].join(', ') || 'none');
  const heldOut = own.evalDataset === undefined ? undefined : await readTexts(own.evalDataset, columns);
  const pairs = contrastivePairs(texts, { sampling, iterations, maxPairs, seed: args.seed });
  const given = Object.entries({ ...defaults, ...options }).filter(([name]) => !Object.hasOwn(schema, name));
  const { model: body, metrics } = await train(own.model, pairs, {
    ...(Object.fromEntries(given) as TrainingArgumentsOptions),
    task: 'sentence-embedding',
    loss: 'CosineSimilarity',
    columns: { anchor: 'anchor', positive: 'positive', label: 'label' },
    callbacks: own.callbacks ?? [],
    ...(signal && { signal }),
  });
  body.dispose();
  const outputDir = path.resolve(args.outputDir);
  const embedder = await loadEmbedder(outputDir, args.threads === undefined ? {} : { threads: args.threads });
  try {
    const head = { features: 'bert', calibrate: false, testSize: 0, randomState: args.seed % 2 ** 32, signal } as const;
    const classifier = await trainTextClassifier(
      embedder,
      texts.map(({ text }) => text),
      texts.map(({ label }) => label),
      head,
    );
    await classifier.save(outputDir);
    const evaluated = heldOut === undefined ? {} : { eval_accuracy: await accuracyOf(classifier, heldOut, signal) };
    return { classifier, metrics: { ...metrics, ...evaluated }, pairs: pairs.length };
  } catch (error) {
    embedder.dispose();
    throw error;
  }
}

async function readTexts(source: DatasetSource, names: ColumnNames | undefined): Promise<LabelledText[]> {
  const columns = new Columns(names);
  const texts: LabelledText[] = [];
  for await (const row of rowsOf(await openDataset(source))) {
    const label = columns.require(row, 'label', texts.length);
    if (typeof label !== 'string' && typeof label !== 'number' && typeof label !== 'boolean') {
      throw unexpected('DATASET', `one label for ${describeRow(row, texts.length)}`, `a value of type ${typeof label}`);
    }
    texts.push({ text: columns.text(row, 'text', texts.length), label: String(label) });
  }
  return texts;
}

async function accuracyOf(classifier: TextClassifier, texts: readonly LabelledText[], signal: AbortSignal | undefined): Promise<number> {
  const said = await classifier.predict(
    texts.map(({ text }) => text),
    signal && { signal },
  );
  return texts.filter(({ label }, i) => said[i] === label).length / texts.length;
}
