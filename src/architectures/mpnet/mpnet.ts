import { robertaTemplate } from '../../tokenizer/index.js';
import { bertFields } from '../bert/bert.js';
import { bertDropout } from '../dropout.js';
import type { Family } from '../family.js';
import { mpnetBuckets, mpnetEncoder } from './encoder.js';
import { mpnetHeads } from './heads.js';

/** MPNet keeps the rows up to that of `<pad>` free, whatever `pad_token_id` says: its code has the number. */
const kPaddingId = 1;

/** Song et al., 2020: https://arxiv.org/abs/2004.09297 */
export const mpnet: Family = {
  title: 'MPNet',
  className: 'MPNet',
  fields: {
    ...bertFields,
    vocabSize: 30527,
    typeVocabSize: 0,
    padTokenId: kPaddingId,
    canDecode: false,
    uncountedId: kPaddingId,
    relativeBuckets: mpnetBuckets,
  },
  vocab: { classes: ['MPNet'], clsToken: '<s>', template: robertaTemplate, maskTakesSpace: true },
  prefix: 'mpnet.',
  encoder: mpnetEncoder,
  heads: mpnetHeads,
  // Its heads do not look at `classifier_dropout`.
  dropout: (rate) => ({ ...bertDropout(rate), classifier: rate('hidden_dropout_prob', 0.1), tokens: rate('hidden_dropout_prob', 0.1) }),
  pooled: ['multipleChoice'],
  decoder: 'lm_head.decoder.weight',
  pretraining: ['maskedLm'],
};
