import type { ConfigFields } from '../config-fields.js';
import { bertDropout } from '../dropout.js';
import type { Family } from '../family.js';
import { bertEncoder } from './encoder.js';
import { bertHeads } from './heads.js';

/** What most families begin with. */
export const bertFields: ConfigFields = {
  hiddenSize: [['hidden_size'], 768],
  numLayers: [['num_hidden_layers'], 12],
  numHeads: [['num_attention_heads'], 12],
  intermediateSize: [['intermediate_size'], 3072],
  hiddenAct: 'hidden_act',
  vocabSize: 30522,
  typeVocabSize: 2,
  padTokenId: 0,
  hasEpsilon: true,
  canDecode: true,
};

/** Devlin et al., 2018: https://arxiv.org/abs/1810.04805 */
export const bert: Family = {
  title: 'BERT',
  className: 'Bert',
  fields: bertFields,
  prefix: 'bert.',
  encoder: bertEncoder,
  heads: bertHeads,
  dropout: bertDropout,
  pooled: ['nextSentence', 'sequenceClassification', 'multipleChoice'],
  decoder: 'cls.predictions.decoder.weight',
  pretraining: ['maskedLm', 'nextSentence'],
};
