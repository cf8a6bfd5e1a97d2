import { Embedder } from '../../embedding/embed.js';
import { unexpected } from '../../expected.js';
import { SentenceCollator } from '../collators/sentence.js';
import type { Dataset } from '../datasets/dataset.js';
import type { Row } from '../datasets/row.js';
import type { LearningModel, LearningOptions } from '../program/learning-model.js';
import type { TrainerOptions } from '../trainer/trainer.js';
import { sentenceMetrics } from './metrics.js';
import { sentencePlan, type SentencePlan, type SentenceTrainingOptions } from './options.js';
import { sentenceShape, type SentenceColumns, type SentenceShape } from './rows.js';
import { teacherColumn, withTeacher } from './teacher.js';

/** Rows of sentence training, and how a program learns from them. */
export interface PreparedSentences {
  readonly plan: SentencePlan;
  readonly learning: Pick<LearningOptions, 'task' | 'sentenceLoss' | 'matryoshka' | 'miniBatchSize'>;
  /** What the trainer is given, once the model is there. */
  readonly partsFor: (
    model: LearningModel,
  ) => Pick<TrainerOptions<Row>, 'trainDataset' | 'evalDataset' | 'dataCollator' | 'evalCollator' | 'evaluator' | 'computeMetrics'>;
}

interface SentenceSources {
  readonly train: Dataset<Row>;
  readonly eval: Dataset<Row> | undefined;
  readonly columns?: SentenceColumns | undefined;
  readonly maxLength?: number | undefined;
  readonly batchSize: number;
}

/**
 * Looks at the rows, asks the teacher, and chooses loss and metrics.
 *
 * Errors: DATASET, EMPTY_INPUT, INVALID_OPTION, INVALID_ARG, those of the teacher.
 */
export async function prepareSentences(sources: SentenceSources, options: SentenceTrainingOptions): Promise<PreparedSentences> {
  const train = await taught(sources.train, options, await sentenceShape(sources.train, sources.columns));
  const plan = sentencePlan(options, train.shape);
  const { sentenceLoss, matryoshka, distinct, repeats } = plan;
  if (sentenceLoss.loss === 'multiple-negatives-ranking' && sentenceLoss.columns === 2 && sources.batchSize < 2) {
    throw unexpected('INVALID_OPTION', 'a perDeviceTrainBatchSize of at least 2, for other texts to be negatives,', sources.batchSize);
  }
  const held =
    sources.eval === undefined ? undefined : await taught(sources.eval, options, await sentenceShape(sources.eval, sources.columns));
  const { maxLength } = sources;
  return {
    plan,
    learning: { task: 'sentence-embedding', sentenceLoss, matryoshka, miniBatchSize: options.miniBatchSize },
    partsFor: (learning) => {
      const shared = { maxLength, width: learning.training.output.width, maxScore: options.maxScore };
      const collator = (shape: SentenceShape, loss: typeof sentenceLoss.loss | undefined, isDistinct: boolean) =>
        new SentenceCollator(learning.model, { ...shared, shape, loss, repeats: loss !== undefined && repeats, distinct: isDistinct });
      const evaluator = options.evaluator && evaluatorOf(options.evaluator, learning);
      return {
        trainDataset: train.rows,
        dataCollator: collator(train.shape, sentenceLoss.loss, distinct),
        ...(held && {
          evalDataset: held.rows,
          evalCollator: collator(held.shape, isAlike(held.shape, train.shape) ? sentenceLoss.loss : undefined, false),
        }),
        ...(evaluator && { evaluator }),
        computeMetrics: sentenceMetrics((held ?? train).shape.labels),
      };
    },
  };
}

async function taught(rows: Dataset<Row>, { teacher }: SentenceTrainingOptions, shape: SentenceShape) {
  if (teacher === undefined || shape.labels === 'scores') return { rows, shape };
  const withVectors = await withTeacher(rows, teacher, shape);
  const { dimensions } = await sentenceShape(withVectors, { label: teacherColumn });
  return { rows: withVectors, shape: { ...shape, label: teacherColumn, labels: 'vectors' as const, dimensions } };
}

/** Whether the loss of the rows that are learned from can be computed of others. */
function isAlike(a: SentenceShape, b: SentenceShape): boolean {
  return a.count === b.count && a.labels === b.labels && a.dimensions === b.dimensions;
}

function evaluatorOf(evaluator: NonNullable<SentenceTrainingOptions['evaluator']>, { model }: LearningModel) {
  const embedder = new Embedder(model);
  return async (): Promise<Record<string, number>> => flat(await evaluator(embedder));
}

/** { ndcg: { 10: 0.5 } } as { 'ndcg@10': 0.5 }. */
function flat(scores: Readonly<Record<string, unknown>>, before = ''): Record<string, number> {
  const entries = Object.entries(scores).flatMap(([name, value]): [string, number][] => {
    if (typeof value === 'number') return [[before + name, value]];
    return typeof value === 'object' && value !== null ? Object.entries(flat(value as Record<string, unknown>, `${before}${name}@`)) : [];
  });
  return Object.fromEntries(entries);
}
