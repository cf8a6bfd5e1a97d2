import {
  maskedLm,
  pooledClassification,
  pooledMultipleChoice,
  questionAnswering,
  requirePooler,
  tokenClassification,
  type HeadBuilder,
  type HeadBuilders,
} from '../heads.js';

const maskedWords: HeadBuilder<'maskedLm'> = (read, encoder) =>
  maskedLm(read, encoder, {
    dense: 'cls.predictions.transform.dense',
    norm: 'cls.predictions.transform.LayerNorm',
    decoder: 'cls.predictions.decoder',
    tiedBias: 'cls.predictions.bias',
    activation: read.config.hiddenAct,
  });

const nextSentence: HeadBuilder<'nextSentence'> = (read, encoder) => {
  if (!read.has('cls.seq_relationship.weight')) return undefined;
  const pooled = requirePooler(encoder, 'cls.seq_relationship');
  return read.b.linear(pooled, read.linear('cls.seq_relationship', 2, read.config.hiddenSize));
};

export const bertHeads: HeadBuilders = {
  maskedLm: maskedWords,
  nextSentence,
  sequenceClassification: pooledClassification,
  multipleChoice: pooledMultipleChoice,
  tokenClassification,
  questionAnswering,
};
