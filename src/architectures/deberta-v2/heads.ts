import type { Value } from '../../models/program/program.js';
import type { EncoderOutputs } from '../encoder.js';
import { firstTokenClassifier, maskedLm, questionAnswering, tokenClassification, type HeadBuilder, type HeadBuilders } from '../heads.js';
import type { WeightReader } from '../weight-reader.js';
import { readDeberta } from './settings.js';

/** Where the two masked-word heads lie; the second one is that of the original code. */
const kLegacy = {
  dense: 'cls.predictions.transform.dense',
  norm: 'cls.predictions.transform.LayerNorm',
  decoder: 'cls.predictions.decoder',
  tiedBias: 'cls.predictions.bias',
};
const kOriginal = {
  dense: 'lm_predictions.lm_head.dense',
  norm: 'lm_predictions.lm_head.LayerNorm',
  tiedBias: 'lm_predictions.lm_head.bias',
};

/** The head that config.json tells, else the other. */
const maskedWords: HeadBuilder<'maskedLm'> = (read, encoder) => {
  const { hiddenAct: activation } = read.config;
  const order = readDeberta(read.config).isLegacy ? [kLegacy, kOriginal] : [kOriginal, kLegacy];
  const names = order.find(({ dense }) => read.has(`${dense}.weight`));
  return names && maskedLm(read, encoder, { ...names, activation });
};

/** A classifier over what the pooler makes of the first token. */
function classifier(read: WeightReader, encoder: EncoderOutputs, rows: number): Value | undefined {
  const activation = readDeberta(read.config).poolerActivation;
  return firstTokenClassifier(read, encoder, { dense: 'pooler.dense', output: 'classifier', activation, dropsInput: 'summary' }, rows);
}

/** The heads of the first version. */
export const debertaHeads: HeadBuilders = {
  maskedLm: maskedWords,
  sequenceClassification: (read, encoder) => classifier(read, encoder, read.config.numLabels),
  tokenClassification,
  questionAnswering,
};

export const debertaV2Heads: HeadBuilders = {
  maskedLm: maskedWords,
  sequenceClassification: (read, encoder) => classifier(read, encoder, read.config.numLabels),
  multipleChoice: (read, encoder) => classifier(read, encoder, 1),
  tokenClassification,
  questionAnswering,
};
