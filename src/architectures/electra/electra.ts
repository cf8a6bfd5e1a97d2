import { bertFields, bertVocab } from '../bert/bert.js';
import { bertDropout } from '../dropout.js';
import type { Family } from '../family.js';
import { electraEncoder } from './encoder.js';
import { electraHeads } from './heads.js';

/** Clark et al., 2020: https://arxiv.org/abs/2003.10555 */
export const electra: Family = {
  title: 'ELECTRA',
  className: 'Electra',
  fields: {
    ...bertFields,
    hiddenSize: [['hidden_size'], 256],
    numHeads: [['num_attention_heads'], 4],
    intermediateSize: [['intermediate_size'], 1024],
    embeddingSize: 128,
  },
  vocab: { ...bertVocab, classes: ['Electra'] },
  namesTokenizer: true,
  prefixes: ['electra.'],
  encoder: electraEncoder,
  heads: electraHeads,
  dropout: (rate) => ({ ...bertDropout(rate), summary: rate('summary_last_dropout', 0.1) }),
  pooled: [],
  decoder: 'generator_lm_head.weight',
  loraTargets: ['query', 'value'],
  pretraining: ['replacedToken'],
};
