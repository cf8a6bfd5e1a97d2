/** What a model reads and what its answers hang on: attention, attributions, lens, probes, maps, errors. @module */
export { attention, type Attention, type AttentionOptions } from './attention/attention.js';
export { attentionRollout, type Rollout, type RolloutOptions } from './attention/rollout.js';
export type { Attribution, TokenValue, UnitValue } from './attribution/attribute.js';
export { explain, type Explanation } from './attribution/explain.js';
export type { ClassifierExplainOptions, ClassifierExplanation, FeatureValue } from './attribution/explain-classifier.js';
export type { ExplainOptions } from './attribution/explain-options.js';
export { explainWindows, type ExplainedWindow, type WindowsOptions } from './attribution/explain-windows.js';
export type { Faithfulness } from './attribution/faithfulness.js';
export type { AttributionMethod, AttributionOptions, ExplainProgress } from './attribution/options.js';
export { explainSimilarity, type SimilarityExplanation, type SimilarityOptions } from './attribution/similarity.js';
export type { BaselineOption } from './evaluation/baseline.js';
export type { ScoreOutput } from './evaluation/output.js';
export type { ChoicesToExplain, ExplainedTarget, ExplainInput, QuestionToExplain, TargetOptions } from './evaluation/target.js';
export { logitLens, type Lens, type LensLayer, type LensMask, type LensOptions, type LensWord } from './layers/logit-lens.js';
export type { CollectionOptions, CollectionProgress } from './reading/collection-options.js';
export type { ExplainedToken, TextRange } from './reading/explained-text.js';
export type { UnitKind } from './reading/units.js';
export { probeLayers, type LayerProbe, type ProbedLayer, type ProbeOptions } from './layers/probe-layers.js';
export { groupKeywords, type Keyword, type KeywordOptions } from './maps/keywords.js';
export { trainingCurves, type TrainingCurve, type TrainingCurves } from './training/training-curves.js';
export { mapTexts, type MapGroup, type MapOptions, type MapPoint, type TextMap } from './maps/map-texts.js';
export { checkExplanation, type CheckOptions, type ExplanationCheck } from './attribution/check-explanation.js';
export {
  explainErrors,
  type ClassifiedExample,
  type ErrorAnalysis,
  type ErrorsOptions,
  type LengthAccuracy,
  type MisleadingWord,
} from './maps/explain-errors.js';
export { attentionFile } from './pages/pack/attention-file.js';
export { render, type RenderFormat, type RenderOptions } from './pages/render.js';
export type { ExplainResult, TextRollout } from './pages/result.js';
export { tokenization, type Tokenization, type TokenizationOptions, type TokenizedText } from './reading/tokenization.js';
