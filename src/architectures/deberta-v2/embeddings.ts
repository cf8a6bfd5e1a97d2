import type { Value } from '../../models/program/program.js';
import type { WeightReader } from '../weight-reader.js';
import { readDeberta } from './settings.js';

/** LayerNorm of the words' rows, with those of positions and types where the model has them, widened to the layers' width: [tokens, hidden]. */
export function debertaEmbeddings(read: WeightReader): Value {
  const { b, config } = read;
  const { vocabSize, embeddingSize, hiddenSize, maxPositionEmbeddings, typeVocabSize, layerNormEps } = config;
  const table = (name: string, rows: number) => read.table(`embeddings.${name}_embeddings.weight`, rows, embeddingSize);
  const sum = b.embed({
    word: table('word', vocabSize),
    ...(readDeberta(config).addsPositions ? { position: table('position', maxPositionEmbeddings) } : {}),
    ...(typeVocabSize > 0 ? { type: table('token_type', typeVocabSize) } : {}),
  });
  const wide = embeddingSize === hiddenSize ? sum : b.linear(sum, read.linear('embeddings.embed_proj', hiddenSize, embeddingSize, false));
  return read.dropout(b.layerNorm(wide, read.norm('embeddings.LayerNorm', hiddenSize), layerNormEps), 'embeddings');
}
