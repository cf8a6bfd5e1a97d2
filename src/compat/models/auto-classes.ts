import { classOf, encoderOutputs, outputsOf, pretrainingOutputs } from './model-class.js';

/** The encoder of any model: `last_hidden_state`, and `pooler_output` where it has a pooler. */
export const AutoModel = classOf(encoderOutputs);
/** Any model with the heads it was pretrained with. */
export const AutoModelForPreTraining = classOf((model) => pretrainingOutputs(model.config.modelType)(model));
/** Any model that tells hidden words: `logits` [texts, tokens, vocab]. */
export const AutoModelForMaskedLM = classOf(outputsOf('maskedLm'));
/** Any model that tells whether a text follows another: `logits` [texts, 2], the first for yes. */
export const AutoModelForNextSentencePrediction = classOf(outputsOf('nextSentence'));
/** Any model that labels texts: `logits` [texts, labels]. */
export const AutoModelForSequenceClassification = classOf(outputsOf('sequenceClassification'));
/** Any model that labels tokens: `logits` [texts, tokens, labels]. */
export const AutoModelForTokenClassification = classOf(outputsOf('tokenClassification'));
/** Any model that finds answers: `start_logits` and `end_logits` [texts, tokens]. */
export const AutoModelForQuestionAnswering = classOf(outputsOf('questionAnswering'));
/** Any model that chooses: `logits` [choices, 1], one row a choice. */
export const AutoModelForMultipleChoice = classOf(outputsOf('multipleChoice'));
