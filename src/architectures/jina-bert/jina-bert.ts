import { bertFields } from '../bert/bert.js';
import { bertDropout } from '../dropout.js';
import type { Family } from '../family.js';
import { bertHeads } from '../bert/heads.js';
import { jinaEncoder } from './encoder.js';
import { checkJina } from './settings.js';

/** Günther et al., 2023: https://arxiv.org/abs/2310.19923. BERT with ALiBi and gated feed-forward blocks; its config.json calls it `bert`. */
export const jinaBert: Family = {
  title: 'JinaBERT',
  className: 'JinaBert',
  within: { modelType: 'bert', tells: (fields) => fields.get('position_embedding_type') === 'alibi' },
  fields: { ...bertFields, positionType: 'alibi' },
  namesTokenizer: false,
  prefixes: ['bert.'],
  check: checkJina,
  encoder: jinaEncoder,
  heads: bertHeads,
  dropout: bertDropout,
  pooled: ['nextSentence', 'sequenceClassification', 'multipleChoice'],
  decoder: 'cls.predictions.decoder.weight',
  loraTargets: ['query', 'value'],
  pretraining: ['maskedLm'],
};
