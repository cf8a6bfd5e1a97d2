import type { Value } from '../../models/program/program.js';
import type { EncoderOutputs } from '../encoder.js';
import { maskedLm, type HeadBuilder, type HeadBuilders } from '../heads.js';
import type { WeightReader } from '../weight-reader.js';
import { tokenTable } from './encoder.js';
import { readModernBert } from './settings.js';

const maskedWords: HeadBuilder<'maskedLm'> = (read, encoder) => {
  const { classifierActivation, classifierBias, normBias, decoderBias } = readModernBert(read.config);
  return maskedLm(read, encoder, {
    dense: 'head.dense',
    norm: 'head.norm',
    decoder: 'decoder',
    tiedBias: 'decoder.bias',
    activation: classifierActivation,
    table: tokenTable,
    biases: { dense: classifierBias, norm: normBias, decoder: decoderBias },
  });
};

/** One row a label over what `head` makes of x: dense, activation, LayerNorm. */
function classifier(read: WeightReader, x: Value, place: 'classifier' | 'tokens' | 'question', rows: number): Value {
  const { b, config } = read;
  const { hiddenSize, layerNormEps } = config;
  const { classifierActivation, classifierBias, normBias } = readModernBert(config);
  const dense = b.linear(x, read.linear('head.dense', hiddenSize, hiddenSize, classifierBias), { activation: classifierActivation });
  const normed = read.dropout(b.layerNorm(dense, read.norm('head.norm', hiddenSize, normBias), layerNormEps), place);
  return b.linear(normed, read.linear('classifier', rows, hiddenSize));
}

/** Over one vector a sequence, the first token's or the mean. */
function ofSequences(read: WeightReader, encoder: EncoderOutputs, rows: number): Value | undefined {
  if (!read.has('classifier.weight') || !read.has('head.dense.weight')) return undefined;
  const states = encoder.hiddenStates.at(-1)!;
  const { pooling } = readModernBert(read.config);
  return classifier(read, pooling === 'mean' ? read.b.pool(states, ['mean']) : read.b.firstTokens(states), 'classifier', rows);
}

/** Over every token. */
function ofTokens(read: WeightReader, encoder: EncoderOutputs, place: 'tokens' | 'question', rows: number): Value | undefined {
  if (!read.has('classifier.weight') || !read.has('head.dense.weight')) return undefined;
  return classifier(read, encoder.hiddenStates.at(-1)!, place, rows);
}

export const modernBertHeads: HeadBuilders = {
  maskedLm: maskedWords,
  sequenceClassification: (read, encoder) => ofSequences(read, encoder, read.config.numLabels),
  multipleChoice: (read, encoder) => ofSequences(read, encoder, 1),
  tokenClassification: (read, encoder) => ofTokens(read, encoder, 'tokens', read.config.numLabels),
  questionAnswering: (read, encoder) => ofTokens(read, encoder, 'question', 2),
};
