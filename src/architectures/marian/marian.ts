import type { ConfigFields } from '../config-fields.js';
import { requireFixed } from '../config-checks.js';
import type { EncoderConfig } from '../encoder-config.js';
import type { Family } from '../family.js';
import { decoderOf, encoderOf, plainStyle, tableAliases } from './layers.js';

const encoderFields: ConfigFields = {
  hiddenSize: [['d_model'], 1024],
  numLayers: [['encoder_layers'], 12],
  numHeads: [['encoder_attention_heads'], 16],
  intermediateSize: [['encoder_ffn_dim'], 4096],
  hiddenAct: [['activation_function'], 'gelu'],
  vocabSize: 58101,
  maxPositions: [['max_position_embeddings'], 1024],
  typeVocabSize: 0,
  padTokenId: 58100,
  epsilon: 1e-5,
  canDecode: false,
  positionType: 'absolute',
};

/** What published code ignores, and what would make another model of the same tensors. */
const kFixed = {
  static_position_embeddings: true,
  normalize_before: false,
  normalize_embedding: false,
  add_final_layer_norm: false,
};

/** Junczys-Dowmunt et al., 2018: https://arxiv.org/abs/1804.00344, and Helsinki-NLP's opus-mt models: an encoder and a decoder with norms after each block. */
export const marian: Family = {
  title: 'Marian',
  className: 'Marian',
  classes: ['MarianModel', 'MarianMTModel'],
  fields: encoderFields,
  decoderFields: {
    ...encoderFields,
    numLayers: [['decoder_layers'], 12],
    numHeads: [['decoder_attention_heads'], 16],
    intermediateSize: [['decoder_ffn_dim'], 4096],
    vocabNames: ['decoder_vocab_size', 'vocab_size'],
  },
  namesTokenizer: false,
  prefixes: ['model.'],
  wordTable: 'shared.weight',
  aliases: tableAliases,
  check: (config: EncoderConfig) => void requireFixed(config, kFixed),
  encoder: encoderOf(plainStyle),
  asDecoder: decoderOf(plainStyle),
  heads: {},
  fixed: /(?:^|\.)embed_positions\.weight$|^final_logits_bias$/,
  dropout: (rate) => {
    const hidden = rate('dropout', 0.1);
    const attention = rate('attention_dropout', 0);
    return { embeddings: hidden, hidden, attention, attentionOutput: hidden, classifier: 0, tokens: 0, question: 0, summary: 0 };
  },
  pooled: [],
  decoder: 'lm_head.weight',
  loraTargets: ['q_proj', 'v_proj'],
  pretraining: [],
};
