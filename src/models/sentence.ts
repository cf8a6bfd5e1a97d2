import type {
  DenseModule,
  LayerNormModule,
  MultiVectorConfig,
  SentenceTransformersConfig,
} from '../checkpoint/sentence/sentence-transformers.js';
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

/** A vector for each token, through the modules of a multi-vector model: [tokens, dimension]. */
export function tokenEmbeddings(b: ProgramBuilder, tokens: Value, { projections, normalizes }: MultiVectorConfig): Value {
  const x = projections.reduce((vectors, module) => dense(b, vectors, module), tokens);
  return normalizes ? b.normalize(x) : x;
}

/** torch's eps. */
const kLayerNormEps = 1e-5;

function layerNorm(b: ProgramBuilder, x: Value, { tensors }: LayerNormModule): Value {
  const vector = (name: string) => b.vector(tensors.get(name)!); // readLayerNorm has checked names and shapes
  return b.layerNorm(x, { weight: vector('norm.weight'), bias: vector('norm.bias') }, kLayerNormEps);
}

function dense(b: ProgramBuilder, x: Value, module: DenseModule): Value {
  const tensor = (name: string) => module.tensors.get(name)!; // readDense has checked names and shapes
  const weight = b.matrix(tensor('linear.weight'));
  const layer: LinearWeights = module.bias ? { weight, bias: b.vector(tensor('linear.bias')) } : { weight };
  return b.linear(x, layer, { activation: module.activation });
}

/** sentence-transformers' modules after the encoder: Pooling, then Dense and Normalize in their order. Without a list: mean pooling. */
export function sentenceEmbedding(b: ProgramBuilder, tokens: Value, config?: SentenceTransformersConfig): SentenceOutputs {
  let x = b.pool(tokens, config?.pooling.modes ?? ['mean']);
  const modules = config?.modules ?? [];
  const normalizes = modules.at(-1)?.type === 'normalize';
  for (const module of normalizes ? modules.slice(0, -1) : modules) {
    x = module.type === 'normalize' ? b.normalize(x) : module.type === 'dense' ? dense(b, x, module) : layerNorm(b, x, module);
  }
  return { embedding: x, normalizedEmbedding: b.normalize(x), normalizes };
}
