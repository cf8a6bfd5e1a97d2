import { encoderLayers, readLayers, withPooler, type EncoderOutputs } from './encoder.js';
import { firstTokenClassifier, maskedLm, pooledMultipleChoice, questionAnswering, tokenClassification, type HeadBuilder } from './heads.js';
import type { WeightReader } from './weight-reader.js';

/** MPNet: BERT's layers without token types, with one bias a head and distance that every layer adds to its attention scores. */
export function mpnetEncoder(read: WeightReader): EncoderOutputs {
  const { b, config } = read;
  const { vocabSize, hiddenSize, numHeads, maxPositionEmbeddings, positionOffset, layerNormEps } = config;
  const sum = b.embed({
    word: read.table('embeddings.word_embeddings.weight', vocabSize, hiddenSize),
    position: read.table('embeddings.position_embeddings.weight', maxPositionEmbeddings, hiddenSize),
    positionOffset,
  });
  const embeddings = b.layerNorm(sum, read.norm('embeddings.LayerNorm', hiddenSize), layerNormEps);
  const relativeBias = read.table('encoder.relative_attention_bias.weight', config.relativeAttentionBuckets, numHeads);
  const layers = readLayers(read, (layer) => {
    const name = `encoder.layer.${layer}`;
    return {
      query: `${name}.attention.attn.q`,
      key: `${name}.attention.attn.k`,
      value: `${name}.attention.attn.v`,
      attentionOutput: `${name}.attention.attn.o`,
      attentionNorm: `${name}.attention.LayerNorm`,
      intermediate: `${name}.intermediate.dense`,
      output: `${name}.output.dense`,
      outputNorm: `${name}.output.LayerNorm`,
    };
  });
  return withPooler(read, encoderLayers(read, embeddings, layers, { relativeBias }));
}

const maskedWords: HeadBuilder = (read, encoder) =>
  maskedLm(read, encoder, {
    dense: 'lm_head.dense',
    norm: 'lm_head.layer_norm',
    decoder: 'lm_head.decoder',
    tiedBias: 'lm_head.bias',
    activation: 'gelu',
  });

const sequenceClassification: HeadBuilder = (read, encoder) => {
  const names = { dense: 'classifier.dense', output: 'classifier.out_proj', activation: 'tanh' } as const;
  const value = firstTokenClassifier(read, encoder, names, read.config.numLabels);
  return value === undefined ? {} : { sequenceClassification: value };
};

/** MPNet's classes by what follows "MPNet" in their names. */
export const mpnetHeads: Readonly<Record<string, HeadBuilder>> = {
  Model: maskedWords,
  ForMaskedLM: maskedWords,
  ForSequenceClassification: sequenceClassification,
  ForTokenClassification: tokenClassification,
  ForQuestionAnswering: questionAnswering,
  ForMultipleChoice: pooledMultipleChoice,
};
