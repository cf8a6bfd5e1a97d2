import { robertaTemplate } from '../../tokenizer/index.js';
import { bertFields, encoderFields } from '../bert/bert.js';
import { bertDropout } from '../dropout.js';
import type { Family } from '../family.js';
import { robertaHeads } from '../roberta/heads.js';
import { mpnetBuckets, mpnetEncoder } from './encoder.js';

/** MPNet keeps the rows up to that of `<pad>` free, whatever `pad_token_id` says: its code has the number. */
const kPaddingId = 1;

/** Song et al., 2020: https://arxiv.org/abs/2004.09297 */
export const mpnet: Family = {
  title: 'MPNet',
  className: 'MPNet',
  fields: {
    ...encoderFields,
    epsilon: bertFields.epsilon!,
    vocabSize: 30527,
    typeVocabSize: 0,
    padTokenId: kPaddingId,
    uncountedId: kPaddingId,
    relativeBuckets: mpnetBuckets,
  },
  vocab: { classes: ['MPNet'], clsToken: '<s>', template: robertaTemplate, maskTakesSpace: true },
  namesTokenizer: true,
  prefixes: ['mpnet.'],
  encoder: mpnetEncoder,
  heads: robertaHeads,
  // Its heads do not look at `classifier_dropout`.
  dropout: (rate) => ({ ...bertDropout(rate), classifier: rate('hidden_dropout_prob', 0.1), tokens: rate('hidden_dropout_prob', 0.1) }),
  pooled: ['multipleChoice'],
  decoder: 'lm_head.decoder.weight',
  loraTargets: ['q', 'v'],
  pretraining: ['maskedLm'],
};
