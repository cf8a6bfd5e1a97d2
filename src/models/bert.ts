import { encoderLayers, readLayers, withPooler, type EncoderOutputs, type LayerNames } from './encoder.js';
import {
  maskedLm,
  pooledClassification,
  pooledMultipleChoice,
  questionAnswering,
  requirePooler,
  tokenClassification,
  type HeadBuilder,
  type HeadBuilders,
} from './heads.js';
import type { Value } from './program.js';
import type { WeightReader } from './weight-reader.js';

/** BERT: embeddings with LayerNorm, the encoder's layers, and a pooler over [CLS]. */
export function bertEncoder(read: WeightReader): EncoderOutputs {
  return withPooler(read, encoderLayers(read, bertEmbeddings(read), readLayers(read, bertLayerNames)));
}

/** LayerNorm(word + position + token type): [tokens, embedding]. */
export function bertEmbeddings(read: WeightReader): Value {
  const { vocabSize, embeddingSize, maxPositionEmbeddings, typeVocabSize, layerNormEps } = read.config;
  const sum = read.b.embed({
    word: read.table('embeddings.word_embeddings.weight', vocabSize, embeddingSize),
    position: read.table('embeddings.position_embeddings.weight', maxPositionEmbeddings, embeddingSize),
    type: read.table('embeddings.token_type_embeddings.weight', typeVocabSize, embeddingSize),
  });
  return read.b.layerNorm(sum, read.norm('embeddings.LayerNorm', embeddingSize), layerNormEps);
}

/** Where BERT and ELECTRA store a layer. */
export function bertLayerNames(layer: number): LayerNames {
  const name = `encoder.layer.${layer}`;
  return {
    query: `${name}.attention.self.query`,
    key: `${name}.attention.self.key`,
    value: `${name}.attention.self.value`,
    attentionOutput: `${name}.attention.output.dense`,
    attentionNorm: `${name}.attention.output.LayerNorm`,
    intermediate: `${name}.intermediate.dense`,
    output: `${name}.output.dense`,
    outputNorm: `${name}.output.LayerNorm`,
  };
}

const maskedWords: HeadBuilder<'maskedLm'> = (read, encoder) =>
  maskedLm(read, encoder, {
    dense: 'cls.predictions.transform.dense',
    norm: 'cls.predictions.transform.LayerNorm',
    decoder: 'cls.predictions.decoder',
    tiedBias: 'cls.predictions.bias',
    activation: read.config.hiddenAct,
  });

const nextSentence: HeadBuilder<'nextSentence'> = (read, encoder) => {
  if (!read.has('cls.seq_relationship.weight')) return undefined;
  const pooled = requirePooler(encoder, 'cls.seq_relationship');
  return read.b.linear(pooled, read.linear('cls.seq_relationship', 2, read.config.hiddenSize));
};

export const bertHeads: HeadBuilders = {
  maskedLm: maskedWords,
  nextSentence,
  sequenceClassification: pooledClassification,
  multipleChoice: pooledMultipleChoice,
  tokenClassification,
  questionAnswering,
};
