import { bertDropout } from '../dropout.js';
import type { Family } from '../family.js';
import { encoderFields } from '../bert/bert.js';
import { nomicEncoder } from './encoder.js';
import { nomicHeads } from './heads.js';
import { checkNomic, longestInput } from './settings.js';

/** Nussbaum et al., 2024: https://arxiv.org/abs/2402.01613. BERT with rotary positions, gated feed-forward blocks and hardly a bias. */
export const nomicBert: Family = {
  title: 'NomicBERT',
  className: 'NomicBert',
  fields: {
    ...encoderFields,
    hiddenSize: [['hidden_size', 'n_embd'], 768],
    numLayers: [['num_hidden_layers', 'n_layer'], 12],
    numHeads: [['num_attention_heads', 'n_head'], 12],
    intermediateSize: [['intermediate_size', 'n_inner'], 3072],
    hiddenAct: [['hidden_act'], 'silu'],
    vocabSize: 30528,
    maxPositions: [['max_position_embeddings', 'n_positions'], 2048],
    longestInput,
    epsilon: [['layer_norm_eps', 'layer_norm_epsilon'], 1e-12],
    positionType: 'rope',
  },
  namesTokenizer: false,
  prefixes: ['nomic_bert.', 'bert.'],
  check: checkNomic,
  encoder: nomicEncoder,
  heads: nomicHeads,
  dropout: (rate) => bertDropout((key) => rate(key, 0)),
  pooled: ['sequenceClassification'],
  decoder: 'cls.predictions.decoder.weight',
  loraTargets: ['Wqkv'],
  pretraining: ['maskedLm'],
};
