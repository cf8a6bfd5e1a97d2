import {
  firstTokenClassifier,
  maskedLm,
  pooledClassifier,
  questionAnswering,
  tokenClassification,
  wordLogits,
  type HeadBuilders,
  type MaskedLmNames,
} from '../heads.js';
import { bertDecoder } from '../bert/decoder.js';

const words: MaskedLmNames = {
  dense: 'lm_head.dense',
  norm: 'lm_head.layer_norm',
  decoder: 'lm_head.decoder',
  tiedBias: 'lm_head.bias',
  activation: 'gelu',
};

const classifier = { dense: 'classifier.dense', output: 'classifier.out_proj', activation: 'tanh', dropsInput: 'classifier' } as const;

/** The heads of RoBERTa and MPNet. */
export const robertaHeads: HeadBuilders = {
  maskedLm: (read, encoder) => maskedLm(read, encoder, words),
  sequenceClassification: (read, encoder) => firstTokenClassifier(read, encoder, classifier, read.config.numLabels),
  // transformers' classes for this head do not look at classifier_dropout.
  multipleChoice: (read, encoder) => pooledClassifier(read, encoder, 1, 'hidden'),
  tokenClassification,
  questionAnswering,
};

/** RobertaForCausalLM, and the decoder of a roberta2roberta. */
export const robertaDecoder = bertDecoder((read, states) => wordLogits(read, states, words));
