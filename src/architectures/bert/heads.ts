import {
  maskedLm,
  wordLogits,
  type MaskedLmNames,
  pooledClassification,
  pooledMultipleChoice,
  questionAnswering,
  requirePooler,
  tokenClassification,
  type HeadBuilder,
  type HeadBuilders,
} from '../heads.js';
import type { WeightReader } from '../weight-reader.js';
import { bertDecoder } from './decoder.js';

const words = ({ config }: WeightReader): MaskedLmNames => ({
  dense: 'cls.predictions.transform.dense',
  norm: 'cls.predictions.transform.LayerNorm',
  decoder: 'cls.predictions.decoder',
  tiedBias: 'cls.predictions.bias',
  activation: config.hiddenAct,
});

const nextSentence: HeadBuilder<'nextSentence'> = (read, encoder) => {
  if (!read.has('cls.seq_relationship.weight')) return undefined;
  const pooled = requirePooler(encoder, 'cls.seq_relationship');
  return read.b.linear(pooled, read.linear('cls.seq_relationship', 2, read.config.hiddenSize));
};

export const bertHeads: HeadBuilders = {
  maskedLm: (read, encoder) => maskedLm(read, encoder, words(read)),
  nextSentence,
  sequenceClassification: pooledClassification,
  multipleChoice: pooledMultipleChoice,
  tokenClassification,
  questionAnswering,
};

/** BertLMHeadModel, and the decoder of a bert2bert. */
export const bertWordDecoder = bertDecoder((read, states) => wordLogits(read, states, words(read)));
