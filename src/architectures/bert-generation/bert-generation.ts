import { bertFields } from '../bert/bert.js';
import { bertDecoder } from '../bert/decoder.js';
import { bertEncoder } from '../bert/encoder.js';
import { bertDropout } from '../dropout.js';
import type { Family } from '../family.js';
import { wordMatrix } from '../heads.js';

const words = { decoder: 'lm_head.decoder', tiedBias: 'lm_head.bias' };

/** Rothe et al., 2019: https://arxiv.org/abs/1907.12461. BERT without token types, as both halves of a model that writes; its head is the words' matrix alone. */
export const bertGeneration: Family = {
  title: 'BertGeneration',
  className: 'BertGeneration',
  classes: ['BertGenerationEncoder', 'BertGenerationDecoder'],
  fields: {
    ...bertFields,
    hiddenSize: [['hidden_size'], 1024],
    numLayers: [['num_hidden_layers'], 24],
    numHeads: [['num_attention_heads'], 16],
    intermediateSize: [['intermediate_size'], 4096],
    vocabSize: 50358,
    typeVocabSize: 0,
  },
  namesTokenizer: false,
  prefixes: ['bert.'],
  encoder: bertEncoder,
  asDecoder: bertDecoder((read, states) => {
    const hasHead = [words.tiedBias, `${words.decoder}.bias`, `${words.decoder}.weight`].some((name) => read.has(name));
    return hasHead ? read.b.linear(states, wordMatrix(read, words)) : undefined;
  }),
  heads: {},
  dropout: bertDropout,
  pooled: [],
  decoder: 'lm_head.decoder.weight',
  loraTargets: ['query', 'value'],
  pretraining: [],
};
