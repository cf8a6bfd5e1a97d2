import { MPNET_BUCKETS } from '../checkpoint/config.js';
import { encoderLayers, readLayers, withPooler, type EncoderOutputs } from './encoder.js';
import {
  firstTokenClassifier,
  maskedLm,
  pooledMultipleChoice,
  questionAnswering,
  tokenClassification,
  type HeadBuilder,
  type HeadBuilders,
} from './heads.js';
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
  const name = 'encoder.relative_attention_bias.weight';
  const relativeBias = read.table(name, config.relativeAttentionBuckets, numHeads, MPNET_BUCKETS);
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

const maskedWords: HeadBuilder<'maskedLm'> = (read, encoder) =>
  maskedLm(read, encoder, {
    dense: 'lm_head.dense',
    norm: 'lm_head.layer_norm',
    decoder: 'lm_head.decoder',
    tiedBias: 'lm_head.bias',
    activation: 'gelu',
  });

const classifier = { dense: 'classifier.dense', output: 'classifier.out_proj', activation: 'tanh' } as const;

export const mpnetHeads: HeadBuilders = {
  maskedLm: maskedWords,
  sequenceClassification: (read, encoder) => firstTokenClassifier(read, encoder, classifier, read.config.numLabels),
  multipleChoice: pooledMultipleChoice,
  tokenClassification,
  questionAnswering,
};
