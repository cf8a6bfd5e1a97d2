import { bertEncoder } from '../bert/encoder.js';
import { bertFields } from '../bert/bert.js';
import { bertDropout } from '../dropout.js';
import type { Family } from '../family.js';
import { robertaDecoder, robertaHeads } from './heads.js';

/** Liu et al., 2019: https://arxiv.org/abs/1907.11692. BERT's layers; positions count what is not `<pad>`, and begin behind its id. */
export const roberta: Family = {
  title: 'RoBERTa',
  className: 'Roberta',
  fields: { ...bertFields, vocabSize: 50265, padTokenId: 1, uncountedId: 'padding' },
  namesTokenizer: true,
  prefixes: ['roberta.'],
  encoder: bertEncoder,
  asDecoder: robertaDecoder,
  heads: robertaHeads,
  dropout: bertDropout,
  pooled: ['multipleChoice'],
  decoder: 'lm_head.decoder.weight',
  loraTargets: ['query', 'value'],
  pretraining: ['maskedLm'],
};
