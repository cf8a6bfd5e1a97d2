import { bertFields } from '../bert/bert.js';
import type { Family } from '../family.js';
import { albertEncoder } from './encoder.js';
import { albertHeads } from './heads.js';
import { readGroups } from './groups.js';

/** Lan et al., 2019: https://arxiv.org/abs/1909.11942. Few layers that are passed through many times, over narrow embeddings. */
export const albert: Family = {
  title: 'ALBERT',
  className: 'Albert',
  fields: {
    ...bertFields,
    hiddenSize: [['hidden_size'], 4096],
    numHeads: [['num_attention_heads'], 64],
    intermediateSize: [['intermediate_size'], 16384],
    hiddenAct: [['hidden_act'], 'gelu_new'],
    vocabSize: 30000,
    embeddingSize: 128,
  },
  namesTokenizer: true,
  prefixes: ['albert.'],
  check: readGroups,
  encoder: albertEncoder,
  heads: albertHeads,
  dropout: (rate) => {
    const hidden = rate('hidden_dropout_prob', 0);
    const classifier = rate('classifier_dropout_prob', 0.1);
    return {
      embeddings: hidden,
      hidden: 0,
      attention: rate('attention_probs_dropout_prob', 0),
      attentionOutput: hidden,
      classifier,
      tokens: classifier,
      question: 0,
      summary: 0,
    };
  },
  pooled: ['sequenceClassification', 'multipleChoice'],
  decoder: 'predictions.decoder.weight',
  loraTargets: ['query', 'value'],
  pretraining: ['maskedLm'],
};
