import type { Model, Value } from '../../models/index.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { type CollatedBatch, type Collator, type MicroBatch, readInTurns } from '../collators/collator.js';
import { inBatches, type ComputeMetrics } from '../trainer/evaluation.js';
import type { Examples } from '../trainer/examples.js';
import { plainBatch, predictionOf, type DistillTask } from './teacher.js';

/** What a model is, how well and how fast it does. */
export interface ModelReport {
  readonly layers: number;
  /** Bytes of its weights in memory. */
  readonly weightBytes: number;
  /** On evalDataset; empty without one. */
  readonly metrics: Readonly<Record<string, number>>;
  /** Texts, or pairs of texts, a second in batches, with the threads that the process has. */
  readonly textsPerSecond: number;
}

/** Reports of two models: speeds are measured in turns. Errors: NO_HEAD, those of `Session.run` and of the metrics. */
export async function compareModels(
  models: readonly [Model, Model],
  task: DistillTask,
  rows: ComparedRows,
  computeMetrics: ComputeMetrics | undefined,
): Promise<[ModelReport, ModelReport]> {
  const both = models.map((model) => ({ model, value: predictionOf(model, task) }));
  const speeds = await timeModels(both, rows);
  const reportOf = async (each: Compared, speed: number): Promise<ModelReport> => ({
    layers: each.model.config.numLayers,
    weightBytes: each.model.memoryUsage().weights,
    metrics: computeMetrics === undefined ? {} : await scoreModel(each, rows, computeMetrics),
    textsPerSecond: speed,
  });
  return [await reportOf(both[0]!, speeds[0]!), await reportOf(both[1]!, speeds[1]!)];
}

/** A model, and the value that its predictions are made of. */
export interface Compared {
  readonly model: Model;
  readonly value: Value;
}

/** Rows that models are compared on. */
export interface ComparedRows {
  readonly examples: Examples;
  readonly collator: Pick<Collator, 'collate'>;
  readonly batchSize: number;
  readonly seed: number;
  readonly budget: Budget;
  readonly signal: AbortSignal | undefined;
}

/** Scores of a model on labelled rows. Errors: those of `Session.run` and of the metrics. */
export async function scoreModel(
  { model, value }: Compared,
  rows: ComparedRows,
  computeMetrics: ComputeMetrics,
): Promise<ModelReport['metrics']> {
  const read = { predictions: [] as unknown[], labels: [] as unknown[] };
  for await (const batch of batches(rows)) {
    const [output] = await model.session.run(plainBatch(batch.batch), [value], { signal: rows.signal, priority: 'bulk' });
    const { predictions, labels } = await readInTurns(batch, new Budget(rows.signal, 'bulk'), output!);
    read.predictions.push(...predictions);
    read.labels.push(...labels);
  }
  return read.labels.length === 0 ? {} : computeMetrics(read);
}

/** Batches that speed is measured on, and how often each model computes them all. */
const kTimedBatches = 8;
const kRounds = 5;

/** Texts a second of each model over the first batches of rows: medians of rounds in which they take turns. */
async function timeModels(models: readonly Compared[], rows: ComparedRows): Promise<number[]> {
  const timed: MicroBatch[] = [];
  for await (const { batch } of batches(rows)) if (timed.push(batch) === kTimedBatches) break;
  const texts = timed.reduce((sum, { cuSeqlens }) => sum + cuSeqlens.length - 1, 0);
  const times = models.map((): number[] => []);
  // The first round is for the caches.
  for (let round = 0; round <= kRounds; round++) {
    for (const [i, { model, value }] of models.entries()) {
      const begun = performance.now();
      for (const batch of timed) await model.session.run(plainBatch(batch), [value], { signal: rows.signal, priority: 'bulk' });
      if (round > 0) times[i]!.push(performance.now() - begun);
    }
  }
  return times.map((each) => (1000 * texts) / [...each].sort((a, b) => a - b)[kRounds >> 1]!);
}

async function* batches({ examples, collator, batchSize, seed, budget }: ComparedRows): AsyncGenerator<CollatedBatch, void, undefined> {
  for await (const chosen of inBatches(examples.stream(budget), batchSize)) yield collator.collate(chosen, { seed, epoch: 0 });
}
