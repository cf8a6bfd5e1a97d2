import { startCall } from '../../calls/call.js';
import { callSchema, type CallOptions } from '../../calls/options.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { unexpected } from '../../expected.js';
import type { FilePath } from '../../file-path.js';
import type { Heads, Model, Value } from '../../models/index.js';
import { integer, type Check } from '../../options.js';
import { requireHead } from '../../tasks/require-head.js';
import { type Collator, type Example, readInTurns } from '../collators/collator.js';
import { openPairs, type PairSource } from '../seq2seq/open-pairs.js';
import { evaluateTexts } from '../seq2seq/evaluate-texts.js';
import { textMetrics } from '../seq2seq/metrics.js';
import { isSeq2SeqTask, type Seq2SeqTask } from '../seq2seq/tasks.js';
import type { Seq2SeqOptions } from '../seq2seq/collator.js';
import type { WritingOptions } from '../seq2seq/text-writer.js';
import type { TextGenerationOptions } from '../text-generation/collator.js';
import { evaluateContinuations } from '../text-generation/evaluate-continuations.js';
import { textGeneration } from '../text-generation/prepare.js';
import { createCollator, inspectDataset, type CollatorOptions, type DataTask, type TaskData } from '../collators/create-collator.js';
import { taskMetrics, type Metrics } from '../collators/task-metrics.js';
import { rowsOf, type Dataset } from '../datasets/dataset.js';
import { labelSet, type LabelSet } from '../datasets/label-set.js';
import { openDataset } from '../datasets/open-dataset.js';
import type { Row } from '../datasets/row.js';

/** Options of `evaluateModel`. */
export interface EvaluateModelOptions extends CallOptions {
  /** Rows that are computed at once. Default 8, of texts that are written 64, of 'text-generation', whose every token has a vocabulary's numbers, 1. */
  readonly batchSize?: number | undefined;
  /** What is drawn at random (masked words, replaced tokens) depends on it. Default 42. */
  readonly seed?: number | undefined;
  /** Options of the task's collator: columns, maxLength, docStride … */
  readonly collator?: (Omit<CollatorOptions, keyof TaskData> & Omit<Seq2SeqOptions, 'generates'>) | undefined;
  /** Of 'translation' and 'summarization': settings of `generate`, such as `numBeams`. */
  readonly generation?: WritingOptions | undefined;
}

/** How a model does on a file or dataset. */
export interface ModelEvaluation {
  /** As `taskMetrics` names them. */
  readonly metrics: Metrics;
  /** Rows that were scored. */
  readonly rows: number;
  /** Rows that were left out, with a warning that says why: an answer that is not in its text, a question longer than the window. */
  readonly skipped: number;
}

const heads: Readonly<Record<DataTask, keyof Heads>> = {
  'text-classification': 'sequenceClassification',
  'cross-encoder': 'sequenceClassification',
  'token-classification': 'tokenClassification',
  'question-answering': 'questionAnswering',
  'multiple-choice': 'multipleChoice',
  'next-sentence-prediction': 'nextSentence',
  'fill-mask': 'maskedLm',
  'replaced-token': 'replacedToken',
};
const anything: Check<unknown> = (value) => value;

/**
 * Scores a loaded model on labelled rows, or a file of them, in whatever it computes. Of 'translation' and 'summarization' it writes a text for each row and
 * compares it with the target as the tokenizer writes that back; 'text-generation' gives loss, perplexity and accuracy of a decoder alone on texts.
 *
 * Errors: NO_HEAD, DATASET (names file and line), EMPTY_INPUT (no labelled rows), INVALID_OPTION, MAX_LENGTH, DISPOSED, those of `forward`.
 */
export async function evaluateModel(
  model: Model,
  task: DataTask | Seq2SeqTask | typeof textGeneration,
  source: FilePath | Dataset<Row> | PairSource,
  options?: EvaluateModelOptions,
): Promise<ModelEvaluation> {
  const schema = {
    ...callSchema,
    batchSize: integer(1, 1 << 16),
    seed: integer(0, Number.MAX_SAFE_INTEGER),
    collator: anything,
    generation: anything,
  };
  const [call, settings] = startCall('evaluateModel', model, options, schema);
  if (isSeq2SeqTask(task)) {
    const rows = (settings.collator ?? {}) as Omit<Seq2SeqOptions, 'generates'>;
    const generation = (settings.generation ?? {}) as WritingOptions;
    const dataset = await openPairs(source, rows.columns);
    const read = await evaluateTexts(call, model, dataset, { ...settings, rows, generation, batchSize: settings.batchSize ?? 64 });
    call.finish();
    return { metrics: textMetrics(task)(read), rows: read.labels.length, skipped: 0 };
  }
  if (settings.generation !== undefined) {
    throw unexpected('INVALID_OPTION', `options of ${task}`, 'generation, which is for translation and summarization');
  }
  if (task === textGeneration) {
    const rows = (settings.collator ?? {}) as TextGenerationOptions;
    const dataset = await openDataset(source as FilePath | Dataset<Row>);
    const evaluation = await evaluateContinuations(call, model, dataset, { ...settings, rows, batchSize: settings.batchSize ?? 1 });
    call.finish();
    return evaluation;
  }
  const { batchSize = 8, seed = 42 } = settings;
  const logits = logitsOf(model, task);
  const dataset = await openDataset(source as FilePath | Dataset<Row>);
  const own = (settings.collator ?? {}) as Omit<CollatorOptions, keyof TaskData>;
  const data = task === 'multiple-choice' ? await inspectDataset(task, dataset, { columns: own.columns }) : { labels: modelLabels(model) };
  const collator = createCollator(task, model, { ...own, ...(task === 'next-sentence-prediction' ? {} : data) });
  const read = { predictions: [] as unknown[], labels: [] as unknown[] };
  let waiting: Example[] = [];
  const compute = async (): Promise<void> => {
    if (waiting.length === 0) return;
    const batch = collator.collate(waiting, { seed, epoch: 0 });
    waiting = [];
    const { signal, priority } = settings;
    const [output] = await model.session.run(batch.batch, [logits], { signal, priority });
    const { predictions, labels } = await readInTurns(batch, new Budget(signal, priority), output!);
    read.predictions.push(...predictions);
    read.labels.push(...labels);
  };
  let index = 0;
  let skipped = 0;
  for await (const row of rowsOf(dataset)) {
    const example = await call.read<Example | undefined>((collator as Collator<Row>).encode(row, index++));
    if (example === undefined) skipped++;
    else waiting.push(example);
    if (waiting.length >= batchSize) await compute();
  }
  await compute();
  collator.warn();
  call.finish();
  return {
    metrics: taskMetrics(task, data.labels === undefined ? 'class' : kindFor(task, data.labels))(read),
    rows: read.labels.length,
    skipped,
  };
}

function logitsOf(model: Model, task: DataTask): Value {
  const head = requireHead(model, heads[task], 'evaluateModel');
  return 'logits' in head ? head.logits : head;
}

/** The model's labels, and what they are: config.json's problem type, else one label is a number. */
export function modelLabels({ config }: Model): LabelSet {
  const { problemType, numLabels, id2label } = config;
  if (problemType === 'multi_label_classification') return labelSet(id2label, 'classes');
  return labelSet(id2label, problemType === 'regression' || numLabels === 1 ? 'numbers' : 'class');
}

function kindFor(task: DataTask, { kind }: LabelSet): LabelSet['kind'] {
  return task === 'text-classification' || task === 'cross-encoder' ? kind : 'class';
}
