import { encoderFields } from '../bert/bert.js';
import { bertDropout } from '../dropout.js';
import type { Family } from '../family.js';
import { debertaV2Encoder } from './encoder.js';
import { debertaV2Heads } from './heads.js';
import { readDebertaV2 } from './settings.js';

/** He et al., 2020 and 2021: https://arxiv.org/abs/2006.03654, https://arxiv.org/abs/2111.09543. Attention between contents, and between contents and distances. */
export const debertaV2: Family = {
  title: 'DeBERTa-v2',
  className: 'DebertaV2',
  fields: {
    ...encoderFields,
    hiddenSize: [['hidden_size'], 1536],
    numLayers: [['num_hidden_layers'], 24],
    numHeads: [['num_attention_heads'], 24],
    intermediateSize: [['intermediate_size'], 6144],
    vocabSize: 128100,
    typeVocabSize: 0,
    mayLackTypes: true,
    embeddingSize: 'hidden',
    epsilon: [['layer_norm_eps'], 1e-7],
    positionType: 'relative',
  },
  namesTokenizer: true,
  prefixes: ['deberta.'],
  check: (config) => void readDebertaV2(config),
  encoder: debertaV2Encoder,
  heads: debertaV2Heads,
  dropout: (rate) => {
    const rates = bertDropout(rate);
    return { ...rates, classifier: rate('cls_dropout', rates.hidden), tokens: rates.hidden, summary: rate('pooler_dropout', 0) };
  },
  pooled: [],
  decoder: 'cls.predictions.decoder.weight',
  loraTargets: ['query_proj', 'value_proj'],
  pretraining: ['maskedLm'],
};
