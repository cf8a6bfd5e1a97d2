import { bertVocab, encoderFields } from '../bert/bert.js';
import type { Family } from '../family.js';
import { distilbertEncoder } from './encoder.js';
import { distilbertHeads } from './heads.js';

/** Sanh et al., 2019: https://arxiv.org/abs/1910.01108 */
export const distilbert: Family = {
  title: 'DistilBERT',
  className: 'DistilBert',
  fields: {
    ...encoderFields,
    hiddenSize: [['hidden_size', 'dim'], 768],
    numLayers: [['num_hidden_layers', 'n_layers'], 6],
    numHeads: [['num_attention_heads', 'n_heads'], 12],
    intermediateSize: [['hidden_dim'], 3072],
    hiddenAct: [['activation'], 'gelu'],
    typeVocabSize: 0,
  },
  vocab: { ...bertVocab, classes: ['DistilBert'] },
  namesTokenizer: true,
  prefixes: ['distilbert.'],
  encoder: distilbertEncoder,
  heads: distilbertHeads,
  dropout: (rate) => ({
    embeddings: rate('dropout', 0.1),
    hidden: rate('dropout', 0.1),
    attention: rate('attention_dropout', 0.1),
    attentionOutput: 0,
    classifier: rate('seq_classif_dropout', 0.2),
    tokens: rate('dropout', 0.1),
    question: rate('qa_dropout', 0.1),
    summary: 0,
  }),
  pooled: [],
  decoder: 'vocab_projector.weight',
  loraTargets: ['q_lin', 'v_lin'],
  pretraining: ['maskedLm'],
};
