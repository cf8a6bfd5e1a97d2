import path from 'node:path';
import { unexpected, wrongOption } from '../../expected.js';
import { filePath, type FilePath } from '../../file-path.js';
import { readModelPath, resolveModel, type ModelPath } from '../../hub/index.js';
import { loadModel, type Model } from '../../models/model.js';
import { abortSignal, integer, oneOf, readOptions, text, type Check } from '../../options.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { record } from '../arguments/checks.js';
import { fillFolder } from '../checkpoints/complete-folder.js';
import { inTemporaryFolder } from '../checkpoints/temporary-folder.js';
import { openDataset, type Row } from '../datasets/index.js';
import { compareModels, scoreModel, type ComparedRows, type ModelReport } from '../distillation/compare-models.js';
import { collatorOf, labelOptions, metricsOf, type RowReading } from '../distillation/task-rows.js';
import { distillTasks, predictionOf, type DistillTask } from '../distillation/teacher.js';
import { modelLabels } from '../evaluation/evaluate-model.js';
import { LearningModel } from '../program/learning-model.js';
import type { ComputeMetrics } from '../trainer/evaluation.js';
import { readExamples } from '../trainer/examples.js';
import type { DatasetSource } from '../trainer/train.js';
import { headImportance, type HeadImportance } from './head-importance.js';
import { keepLayers } from './keep-layers.js';
import { PairLossCollator } from './pair-loss-collator.js';
import { zeroHeads } from './zero-heads.js';

/** Options of `prune`. */
export interface PruneOptions extends RowReading {
  readonly model: ModelPath;
  readonly task: DistillTask;
  /** Rows with labels, by which layers and heads are judged. */
  readonly evalDataset: DatasetSource;
  /** How many layers to leave out: each time the one without which the score is best. Default 0. */
  readonly dropLayers?: number;
  /** How many attention heads to silence: those on which the loss depends least. One of each layer stays. Default 0. */
  readonly dropHeads?: number;
  /** The score that layers are judged by. Default: accuracy; spearman of sentences and numbers, f1 of entities. */
  readonly metric?: string;
  /** Where the smaller model goes. Default: nowhere. */
  readonly outputDir?: FilePath;
  readonly threads?: number;
  readonly signal?: AbortSignal;
}

/** What was left out, and what that cost. */
export interface PruneReport {
  readonly before: ModelReport;
  readonly after: ModelReport;
  /** Layers that were left out, in this order, by their numbers in the whole model, and the score without them. */
  readonly layers: readonly { readonly layer: number; readonly score: number }[];
  /** Heads that were silenced, by the layers of the model that is left; the least important first. */
  readonly heads: readonly HeadImportance[];
}

/** What `prune` gives. */
export interface PrunedModel {
  /** The smaller model, loaded. It holds native memory until `dispose`. */
  readonly model: Model;
  readonly report: PruneReport;
}

const anything: Check<unknown> = (value) => value;
const schema = {
  model: anything,
  task: oneOf(distillTasks),
  evalDataset: anything,
  dropLayers: integer(0, 1024),
  dropHeads: integer(0, 1 << 16),
  metric: text,
  outputDir: filePath,
  columns: record,
  collator: record,
  threads: integer(1, 1024),
  signal: abortSignal,
};

/** Rows on which heads are judged. */
const kHeadRows = 256;

/**
 * Leaves out the layers and attention heads that a model needs least, judged on labelled rows, and reports what that costs.
 *
 * ```js
 * const { model, report } = await prune({ model: 'my-model', task: 'text-classification', evalDataset: 'dev.jsonl', dropLayers: 2, outputDir: 'smaller' });
 * ```
 *
 * Errors: INVALID_OPTION (nothing to leave out, more than there is, a score that the task does not have), NO_HEAD, DATASET, EMPTY_INPUT; those of
 * `loadModel`.
 */
export async function prune(options: PruneOptions): Promise<PrunedModel> {
  const own = readOptions('prune', options, schema) as unknown as PruneOptions;
  for (const name of ['model', 'task', 'evalDataset'] as const) {
    if (own[name] === undefined) throw wrongOption(`a value for prune option ${name}`, undefined);
  }
  const { dropLayers = 0, dropHeads = 0, outputDir, signal } = own;
  if (dropLayers + dropHeads === 0) throw unexpected('INVALID_OPTION', 'layers or heads to leave out for prune', 'none');
  const directory = await resolveModel(readModelPath(own.model, 'prune'), {}, 'model');
  const whole = await load(directory, own);
  try {
    predictionOf(whole, own.task);
    const { numLayers, numHeads } = whole.config;
    if (dropLayers >= numLayers)
      throw unexpected('INVALID_OPTION', `fewer than ${numLayers}, the model's layers, for dropLayers`, dropLayers);
    const most = (numLayers - dropLayers) * (numHeads - 1);
    if (dropHeads > most) throw unexpected('INVALID_OPTION', `at most ${most} for dropHeads: one of each layer stays`, dropHeads);
    const labels = modelLabels(whole);
    const collator = collatorOf(own.task, whole, labels, own);
    const budget = new Budget(signal, 'bulk');
    const examples = await readExamples<Row>(await openDataset(own.evalDataset), collator, budget);
    const judged: Judged = {
      own,
      rows: { examples, collator, batchSize: 32, seed: 42, budget, signal },
      computeMetrics: metricsOf(own.task, labels),
    };
    return await inTemporaryFolder(async (folder) => {
      const [layered, headless] = [path.join(folder, 'layers'), path.join(folder, 'heads')];
      const layers = await dropWorstLayers(directory, numLayers, dropLayers, judged);
      const kept = Array.from({ length: numLayers }, (_, layer) => layer).filter((layer) => !layers.some((each) => each.layer === layer));
      await fillFolder(layered, (temporary) => keepLayers(directory, kept, temporary));
      const heads = dropHeads === 0 ? [] : await worstHeads(layered, dropHeads, judged);
      await fillFolder(headless, (temporary) => zeroHeads(layered, heads, temporary));
      const model = await load(headless, own);
      try {
        const [before, after] = await compareModels([whole, model], own.task, judged.rows, judged.computeMetrics);
        if (outputDir !== undefined)
          await fillFolder(path.resolve(outputDir as string), (temporary) => zeroHeads(layered, heads, temporary));
        return { model, report: { before, after, layers, heads } };
      } catch (error) {
        model.dispose();
        throw error;
      }
    });
  } finally {
    whole.dispose();
  }
}

interface Judged {
  readonly own: PruneOptions;
  readonly rows: ComparedRows;
  readonly computeMetrics: ComputeMetrics;
}

function load(directory: string, { threads }: PruneOptions): Promise<Model> {
  return loadModel(directory, threads === undefined ? {} : { threads });
}

/** Leaves out one layer after the other, each time the one that is missed least. */
async function dropWorstLayers(
  directory: string,
  numLayers: number,
  count: number,
  judged: Judged,
): Promise<{ layer: number; score: number }[]> {
  const dropped: { layer: number; score: number }[] = [];
  let kept = Array.from({ length: numLayers }, (_, layer) => layer);
  for (let i = 0; i < count; i++) {
    const scores: { layer: number; score: number }[] = [];
    for (const layer of kept) {
      const others = kept.filter((each) => each !== layer);
      // One trial at a time: each is as large as the model.
      const score = await inTemporaryFolder(async (folder) => {
        const trial = path.join(folder, 'trial');
        await fillFolder(trial, (temporary) => keepLayers(directory, others, temporary));
        return scoreOf(trial, judged);
      });
      scores.push({ layer, score });
    }
    const best = scores.reduce((most, each) => (each.score > most.score ? each : most));
    dropped.push(best);
    kept = kept.filter((layer) => layer !== best.layer);
  }
  return dropped;
}

/** The score of a model in a directory. Errors: INVALID_OPTION for a score that the task does not have, EMPTY_INPUT without labels. */
async function scoreOf(directory: string, { own, rows, computeMetrics }: Judged): Promise<number> {
  const model = await load(directory, own);
  try {
    const metrics = await scoreModel({ model, value: predictionOf(model, own.task) }, rows, computeMetrics);
    const names = Object.keys(metrics);
    if (names.length === 0) throw unexpected('EMPTY_INPUT', 'rows with labels for prune option evalDataset', 'none');
    const usual = ['spearman', own.task === 'token-classification' ? 'f1' : 'accuracy'];
    const name = own.metric ?? usual.find((each) => each in metrics) ?? names[0]!;
    const score = metrics[name];
    if (score !== undefined) return Number.isNaN(score) ? -Infinity : score;
    throw unexpected('INVALID_OPTION', `one of ${names.join(', ')} for prune option metric`, name);
  } finally {
    model.dispose();
  }
}

/** The heads on which the loss depends least, one of each layer left alone. */
async function worstHeads(directory: string, count: number, { own, rows }: Judged): Promise<HeadImportance[]> {
  const examples = (await firstOf(rows, kHeadRows)) as never[];
  const isSentence = own.task === 'sentence-embedding';
  const model = await load(directory, own);
  const labels = modelLabels(model);
  model.dispose();
  const learning = await LearningModel.load(directory, {
    task: own.task,
    ...labelOptions(own.task, labels),
    ...(labels.kind === 'class' ? { labelKind: 'integers' as const } : {}),
    ...(isSentence ? { sentenceLoss: { loss: 'cosine-similarity' } as const } : {}),
    dropout: false,
    seed: 42,
    threads: own.threads,
  });
  try {
    const all = await headImportance(learning, examples, isSentence ? new PairLossCollator(examples) : rows.collator, own.signal);
    const best = new Map<number, HeadImportance>();
    for (const each of all) if (each.importance > (best.get(each.layer)?.importance ?? -1)) best.set(each.layer, each);
    return all
      .filter((each) => best.get(each.layer) !== each)
      .sort((a, b) => a.importance - b.importance)
      .slice(0, count);
  } finally {
    learning.dispose();
  }
}

async function firstOf({ examples, budget }: ComparedRows, count: number): Promise<unknown[]> {
  const first: unknown[] = [];
  for await (const example of examples.stream(budget)) if (first.push(example) === count) break;
  return first;
}
