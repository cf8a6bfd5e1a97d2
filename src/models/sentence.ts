import type { SentenceTransformersConfig } from '../checkpoint/sentence/sentence-transformers.js';
import type { LinearWeights, ProgramBuilder, Value } from './program/program.js';

/** A vector for each sequence. */
export interface SentenceOutputs {
  /** [sequences, dimension]: pooled and sent through the modules, without a Normalize at their end. */
  readonly embedding: Value;
  /** The same divided by its length. */
  readonly normalizedEmbedding: Value;
  /** Whether the model's own list of modules ends in Normalize. */
  readonly normalizes: boolean;
}

/** sentence-transformers' modules after the encoder: Pooling, then Dense and Normalize in their order. Without a list: mean pooling. */
export function sentenceEmbedding(b: ProgramBuilder, tokens: Value, config?: SentenceTransformersConfig): SentenceOutputs {
  let x = b.pool(tokens, config?.pooling.modes ?? ['mean']);
  const modules = config?.modules ?? [];
  const normalizes = modules.at(-1)?.type === 'normalize';
  for (const module of normalizes ? modules.slice(0, -1) : modules) {
    if (module.type === 'normalize') {
      x = b.normalize(x);
      continue;
    }
    const tensor = (name: string) => module.tensors.get(name)!; // readDense has checked names and shapes
    const weight = b.matrix(tensor('linear.weight'));
    const layer: LinearWeights = module.bias ? { weight, bias: b.vector(tensor('linear.bias')) } : { weight };
    x = b.linear(x, layer, { activation: module.activation });
  }
  return { embedding: x, normalizedEmbedding: b.normalize(x), normalizes };
}
