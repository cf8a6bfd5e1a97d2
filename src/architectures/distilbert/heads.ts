import { firstTokenClassifier, maskedLm, questionAnswering, tokenClassification, type HeadBuilder, type HeadBuilders } from '../heads.js';

const maskedWords: HeadBuilder<'maskedLm'> = (read, encoder) =>
  maskedLm(read, encoder, {
    dense: 'vocab_transform',
    norm: 'vocab_layer_norm',
    decoder: 'vocab_projector',
    tiedBias: 'vocab_projector.bias',
    activation: read.config.hiddenAct,
  });

const classifier = { dense: 'pre_classifier', output: 'classifier', activation: 'relu' } as const;

export const distilbertHeads: HeadBuilders = {
  maskedLm: maskedWords,
  sequenceClassification: (read, encoder) => firstTokenClassifier(read, encoder, classifier, read.config.numLabels),
  multipleChoice: (read, encoder) => firstTokenClassifier(read, encoder, classifier, 1),
  tokenClassification,
  questionAnswering,
};
