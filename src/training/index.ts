/** Fine-tuning of every head, on the library's own threads. @module */
export {
  trainingArguments,
  type IntervalStrategy,
  type SaveStrategy,
  type TrainingArguments,
  type TrainingArgumentsOptions,
} from './arguments/training-arguments.js';
export type { SaveDtype } from '../checkpoint/weights/narrow.js';
export { schedule, schedulerTypes, type ScheduleShape, type SchedulerType } from './arguments/schedules.js';
export type { EvaluatedBatch, StepResult, StepSettings, TensorKind, TrainableModel, TrainedTensor } from './trainer/trainable-model.js';
export { Trainer, type EvaluateOptions, type TrainerOptions, type TrainOptions, type TrainOutput } from './trainer/trainer.js';
export { train, type DatasetSource, type TrainedModel, type TrainModelOptions } from './trainer/train.js';
export { trainMultiTask, type MultiTaskHead, type MultiTaskModels, type MultiTaskOptions } from './multi-task/train-multi-task.js';
export type { HeadSampling } from './multi-task/plan-heads.js';
export type { HeadOptions } from './trainer/prepare-head.js';
export type { BatchPlan, PlanBatches, PlannedBatch } from './trainer/batch-plan.js';
export type { BatchWriter, ComputeMetrics, EvalPrediction, OpenBatchWriter, PredictionOutput } from './trainer/evaluation.js';
export type { SnapshotOptions } from './program/snapshot.js';
export type { DataPosition } from './trainer/batch-source.js';
export type { LogEntry, Pending, TrainerState } from './trainer/trainer-state.js';
export type { PlateauState } from './arguments/plateau.js';
export type { CallbackContext, CallbackState, TrainerCallback, TrainerControl } from './callbacks/callback.js';
export { EarlyStoppingCallback } from './callbacks/early-stopping.js';
export * from './datasets/index.js';
export * from './collators/index.js';
export type { TextModel } from '../calls/text-reader.js';
export { createModel, type CreateModelOptions } from './create/create-model.js';
export { encoderDecoderFrom, type EncoderDecoderFrom, type EncoderDecoderFromOptions } from './seq2seq/encoder-decoder-from.js';
export { Seq2SeqCollator, type PairExample, type Seq2SeqOptions } from './seq2seq/collator.js';
export { decoderFrom, type DecoderFrom, type DecoderFromOptions } from './text-generation/decoder-from.js';
export { TextGenerationCollator, type ContinuedExample, type TextGenerationOptions } from './text-generation/collator.js';
export { textMetrics } from './seq2seq/metrics.js';
export type { PairSource, ParallelFiles } from './seq2seq/open-pairs.js';
export type { Seq2SeqTask } from './seq2seq/tasks.js';
export type { WritingOptions } from './seq2seq/text-writer.js';
export { evaluateModel, type EvaluateModelOptions, type ModelEvaluation } from './evaluation/evaluate-model.js';
export { distill, type DistilledModel, type DistillOptions, type DistillReport } from './distillation/distill.js';
export type { ModelReport } from './distillation/compare-models.js';
export type { DistillTask } from './distillation/teacher.js';
export type { SentenceLossName, SentenceTrainingOptions, Teacher } from './sentence/options.js';
export type { SentenceColumns } from './sentence/rows.js';
export { prune, type PrunedModel, type PruneOptions, type PruneReport } from './pruning/prune.js';
export type { HeadImportance } from './pruning/head-importance.js';
export { reduceDimension, type ReducedDimension, type ReduceDimensionOptions } from './pruning/reduce-dimension.js';
export { trainSetFit, type SetFitModel, type SetFitOptions } from './setfit/train-setfit.js';
export type { PairSampling } from './setfit/pairs.js';
export { augmentTexts, type AugmentOptions } from './augmentation/augment-texts.js';
