import { debertaV2 } from '../deberta-v2/deberta-v2.js';
import { debertaHeads } from '../deberta-v2/heads.js';
import { readDeberta } from '../deberta-v2/settings.js';
import type { Family } from '../family.js';
import { debertaEncoder } from './encoder.js';

/** He et al., 2020: https://arxiv.org/abs/2006.03654 */
export const deberta: Family = {
  ...debertaV2,
  title: 'DeBERTa',
  className: 'Deberta',
  fields: {
    ...debertaV2.fields,
    hiddenSize: [['hidden_size'], 768],
    numLayers: [['num_hidden_layers'], 12],
    numHeads: [['num_attention_heads'], 12],
    intermediateSize: [['intermediate_size'], 3072],
    vocabSize: 50265,
  },
  check: (config) => void readDeberta(config),
  encoder: debertaEncoder,
  heads: debertaHeads,
  loraTargets: ['in_proj'],
};
