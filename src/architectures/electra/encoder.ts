import { bertEmbeddings, bertLayerNames } from '../bert/encoder.js';
import { encoderLayers, readLayers, type EncoderOutputs } from '../encoder.js';
import type { WeightReader } from '../weight-reader.js';

/** ELECTRA: BERT without a pooler; embeddings narrower than the layers are projected to their width. */
export function electraEncoder(read: WeightReader): EncoderOutputs {
  const { embeddingSize, hiddenSize } = read.config;
  const embeddings = bertEmbeddings(read);
  const x =
    embeddingSize === hiddenSize ? embeddings : read.b.linear(embeddings, read.linear('embeddings_project', hiddenSize, embeddingSize));
  return encoderLayers(read, x, readLayers(read, bertLayerNames));
}
