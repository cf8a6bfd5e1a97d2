import { maskedLm, pooledClassification, tokenClassification, type HeadBuilder, type HeadBuilders } from '../heads.js';

const maskedWords: HeadBuilder<'maskedLm'> = (read, encoder) =>
  maskedLm(read, encoder, {
    dense: 'lm_head.dense',
    norm: 'lm_head.norm',
    decoder: 'lm_head.decoder',
    tiedBias: 'lm_head.decoder.bias',
    activation: 'gelu',
  });

export const gteHeads: HeadBuilders = { maskedLm: maskedWords, sequenceClassification: pooledClassification, tokenClassification };
