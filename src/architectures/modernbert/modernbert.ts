import { encoderFields } from '../bert/bert.js';
import type { Family } from '../family.js';
import { modernBertEncoder, tokenTable } from './encoder.js';
import { modernBertHeads } from './heads.js';
import { checkModernBert } from './settings.js';

/** Warner et al., 2024: https://arxiv.org/abs/2412.13663. LayerNorm in front of each block, rotary positions, most layers see only their neighbours. */
export const modernBert: Family = {
  title: 'ModernBERT',
  className: 'ModernBert',
  fields: {
    ...encoderFields,
    numLayers: [['num_hidden_layers'], 22],
    intermediateSize: [['intermediate_size'], 1152],
    hiddenAct: [['hidden_activation'], 'gelu'],
    vocabSize: 50368,
    maxPositions: [['max_position_embeddings'], 8192],
    typeVocabSize: 0,
    padTokenId: 50283,
    epsilon: [['norm_eps'], 1e-5],
    positionType: 'rope',
  },
  namesTokenizer: false,
  prefixes: ['model.'],
  wordTable: tokenTable,
  check: checkModernBert,
  encoder: modernBertEncoder,
  heads: modernBertHeads,
  dropout: (rate) => {
    const [attention, classifier] = [rate('attention_dropout', 0), rate('classifier_dropout', 0)];
    return {
      embeddings: rate('embedding_dropout', 0),
      hidden: rate('mlp_dropout', 0),
      attention,
      attentionOutput: attention,
      classifier,
      tokens: classifier,
      question: classifier,
      summary: 0,
    };
  },
  pooled: [],
  decoder: 'decoder.weight',
  loraTargets: ['Wqkv'],
  pretraining: ['maskedLm'],
};
