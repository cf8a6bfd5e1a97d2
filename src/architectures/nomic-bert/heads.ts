import { maskedLm, pooledClassification, tokenClassification, type HeadBuilder, type HeadBuilders } from '../heads.js';

const maskedWords: HeadBuilder<'maskedLm'> = (read, encoder) =>
  maskedLm(read, encoder, {
    dense: 'cls.predictions.transform.dense',
    norm: 'cls.predictions.transform.layer_norm',
    decoder: 'cls.predictions.decoder',
    tiedBias: 'cls.predictions.bias',
    activation: read.config.hiddenAct,
  });

export const nomicHeads: HeadBuilders = { maskedLm: maskedWords, sequenceClassification: pooledClassification, tokenClassification };
