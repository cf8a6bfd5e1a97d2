import {
  maskedLm,
  pooledClassification,
  pooledMultipleChoice,
  questionAnswering,
  tokenClassification,
  type HeadBuilder,
  type HeadBuilders,
} from '../heads.js';

const maskedWords: HeadBuilder<'maskedLm'> = (read, encoder) =>
  maskedLm(read, encoder, {
    dense: 'predictions.dense',
    norm: 'predictions.LayerNorm',
    decoder: 'predictions.decoder',
    tiedBias: 'predictions.bias',
    activation: read.config.hiddenAct,
  });

export const albertHeads: HeadBuilders = {
  maskedLm: maskedWords,
  sequenceClassification: pooledClassification,
  multipleChoice: pooledMultipleChoice,
  tokenClassification,
  questionAnswering,
};
