import type { Value } from '../models/program/program.js';
import type { WeightReader } from './weight-reader.js';

/** LayerNorm(word + token type), of families whose positions enter elsewhere: [tokens, hidden]. Without types the words' rows alone. */
export function wordsAndTypes(read: WeightReader, norm: string): Value {
  const { vocabSize, hiddenSize, typeVocabSize, layerNormEps } = read.config;
  const sum = read.b.embed({
    word: read.table('embeddings.word_embeddings.weight', vocabSize, hiddenSize),
    ...(typeVocabSize === 0 ? {} : { type: read.table('embeddings.token_type_embeddings.weight', typeVocabSize, hiddenSize) }),
  });
  return read.dropout(read.b.layerNorm(sum, read.norm(norm, hiddenSize), layerNormEps), 'embeddings');
}
