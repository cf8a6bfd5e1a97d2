import { encoderFields } from '../bert/bert.js';
import { bertDropout } from '../dropout.js';
import type { Family } from '../family.js';
import { gteEncoder } from './encoder.js';
import { gteHeads } from './heads.js';
import { checkGte } from './settings.js';

/** Zhang et al., 2024: https://arxiv.org/abs/2407.19669. BERT with rotary positions and gated feed-forward blocks; `new` on the Hub, `gte` in transformers 5. */
export const gte: Family = {
  title: 'GTE',
  className: 'Gte',
  otherNames: [{ modelType: 'new', className: 'New' }],
  fields: {
    ...encoderFields,
    vocabSize: 250048,
    maxPositions: [['max_position_embeddings'], 8192],
    typeVocabSize: 1,
    mayLackTypes: true,
    padTokenId: 1,
    epsilon: [['layer_norm_eps'], 1e-12],
    positionType: 'rope',
    otherPositionTypes: [],
  },
  namesTokenizer: false,
  prefixes: ['gte.', 'new.'],
  check: checkGte,
  encoder: gteEncoder,
  heads: gteHeads,
  dropout: (rate) => bertDropout((key, fallback) => rate(key, key === 'attention_probs_dropout_prob' ? 0 : fallback)),
  pooled: ['sequenceClassification'],
  decoder: 'lm_head.decoder.weight',
  loraTargets: ['qkv_proj'],
  pretraining: ['maskedLm'],
};
