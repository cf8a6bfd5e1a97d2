export { ClassificationCollator, type ClassificationOptions, type LabelledExample } from './classification.js';
export type { CollatedBatch, Collator, Draw, EncodedSequence, Example, MicroBatch, ReadPredictions } from './collator.js';
export {
  createCollator,
  inspectDataset,
  type CollatorOptions,
  type DataTask,
  type InspectOptions,
  type TaskData,
} from './create-collator.js';
export { LanguageModelingCollator, type LanguageModelingOptions, type MaskedExample } from './language-modeling.js';
export type { TokenWords } from './masking.js';
export { MultipleChoiceCollator, type ChoiceExample, type MultipleChoiceOptions } from './multiple-choice.js';
export { QuestionAnsweringCollator, type AnswerExample, type QuestionAnsweringOptions } from './question-answering.js';
export { ReplacedTokenCollator, type ReplacedExample, type ReplacedTokenOptions } from './replaced-token.js';
export { taskMetrics, type Metrics, type ScorePredictions } from './task-metrics.js';
export { TokenClassificationCollator, type TaggedExample, type TokenClassificationOptions } from './token-classification.js';
