export { ClassificationCollator, type ClassificationOptions } from './classification.js';
export type { CollatedBatch, Collator, Draw, EncodedSequence, Example, MicroBatch, ReadPredictions } from './collator.js';
export {
  createCollator,
  inspectDataset,
  type CollatorOptions,
  type DataTask,
  type InspectOptions,
  type TaskData,
} from './create-collator.js';
export { LanguageModelingCollator, type LanguageModelingOptions } from './language-modeling.js';
export { MultipleChoiceCollator, type MultipleChoiceOptions } from './multiple-choice.js';
export { QuestionAnsweringCollator, type QuestionAnsweringOptions } from './question-answering.js';
export { ReplacedTokenCollator, type ReplacedTokenOptions } from './replaced-token.js';
export { taskMetrics, type Metrics } from './task-metrics.js';
export { TokenClassificationCollator, type TokenClassificationOptions } from './token-classification.js';
