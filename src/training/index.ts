export {
  trainingArguments,
  type IntervalStrategy,
  type SaveStrategy,
  type TrainingArguments,
  type TrainingArgumentsOptions,
} from './arguments/training-arguments.js';
export { schedule, schedulerTypes, type ScheduleShape, type SchedulerType } from './arguments/schedules.js';
export type { EvaluatedBatch, StepResult, StepSettings, TrainableModel, TrainedTensor, TrainingBatch } from './trainer/trainable-model.js';
