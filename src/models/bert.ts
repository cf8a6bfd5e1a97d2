import type { ModelConfig } from '../checkpoint/config.js';
import type { WeightMap } from '../checkpoint/weights.js';
import type { LinearWeights, NormWeights, ProgramBuilder, Value } from './program.js';

/** What an encoder computes, layer by layer. */
export interface EncoderOutputs {
  /** [tokens, hidden]: what enters the first layer, then the output of each layer. */
  readonly hiddenStates: readonly Value[];
  /** Attention probabilities of each layer, per sequence [heads, s, s]. */
  readonly attentions: readonly Value[];
  /** [sequences, hidden]: tanh(dense([CLS])), where the checkpoint has a pooler. */
  readonly poolerOutput?: Value;
}

/** BERT: embeddings with LayerNorm, then layers of self-attention and a feed-forward block, each with a residual and LayerNorm after it. */
export function bertEncoder(b: ProgramBuilder, config: ModelConfig, weights: BertWeights): EncoderOutputs {
  let x = b.layerNorm(b.embed(weights.embeddings()), weights.embeddingNorm(), config.layerNormEps); // [tokens, hidden]
  const hiddenStates = [x];
  const attentions: Value[] = [];
  for (const layer of weights.layers()) {
    const qkv = b.linear(x, layer.qkv); // [tokens, 3, numHeads, headDim]
    const { context, scores } = b.attention(qkv, { numHeads: config.numHeads });
    x = b.layerNorm(b.linear(context, layer.attentionOutput, { residual: x }), layer.attentionNorm, config.layerNormEps);
    const intermediate = b.linear(x, layer.intermediate, { activation: config.hiddenAct });
    x = b.layerNorm(b.linear(intermediate, layer.output, { residual: x }), layer.outputNorm, config.layerNormEps);
    hiddenStates.push(x);
    attentions.push(scores);
  }
  const pooler = weights.pooler();
  if (pooler === undefined) return { hiddenStates, attentions };
  return { hiddenStates, attentions, poolerOutput: b.linear(b.firstTokens(x), pooler, { activation: 'tanh' }) };
}

/** One encoder layer's weights. */
export interface BertLayer {
  /** Query, key and value on top of each other: [3 * hidden, hidden]. */
  readonly qkv: LinearWeights;
  readonly attentionOutput: LinearWeights;
  readonly attentionNorm: NormWeights;
  readonly intermediate: LinearWeights;
  readonly output: LinearWeights;
  readonly outputNorm: NormWeights;
}

/** Finds a BERT's weights by the names Hugging Face gives them. */
export class BertWeights {
  readonly #b: ProgramBuilder;
  readonly #config: ModelConfig;
  readonly #weights: WeightMap;

  constructor(b: ProgramBuilder, config: ModelConfig, weights: WeightMap) {
    this.#b = b;
    this.#config = config;
    this.#weights = weights;
  }

  embeddings(): Parameters<ProgramBuilder['embed']>[0] {
    const { vocabSize, embeddingSize, maxPositionEmbeddings, typeVocabSize } = this.#config;
    const table = (name: string, rows: number) => this.#b.table(this.#weights.take(`embeddings.${name}.weight`, [rows, embeddingSize]));
    return {
      word: table('word_embeddings', vocabSize),
      position: table('position_embeddings', maxPositionEmbeddings),
      type: table('token_type_embeddings', typeVocabSize),
    };
  }

  embeddingNorm(): NormWeights {
    return this.norm('embeddings.LayerNorm', this.#config.embeddingSize);
  }

  *layers(): Generator<BertLayer> {
    const { hiddenSize, intermediateSize, numLayers } = this.#config;
    for (let i = 0; i < numLayers; i++) {
      const name = `encoder.layer.${i}`;
      const self = ['query', 'key', 'value'].map((part) => `${name}.attention.self.${part}`);
      yield {
        qkv: {
          weight: this.#b.matrix(...self.map((part) => this.#weights.take(`${part}.weight`, [hiddenSize, hiddenSize]))),
          bias: this.#b.vector(...self.map((part) => this.#weights.take(`${part}.bias`, [hiddenSize]))),
        },
        attentionOutput: this.linear(`${name}.attention.output.dense`, hiddenSize, hiddenSize),
        attentionNorm: this.norm(`${name}.attention.output.LayerNorm`, hiddenSize),
        intermediate: this.linear(`${name}.intermediate.dense`, intermediateSize, hiddenSize),
        output: this.linear(`${name}.output.dense`, hiddenSize, intermediateSize),
        outputNorm: this.norm(`${name}.output.LayerNorm`, hiddenSize),
      };
    }
  }

  pooler(): LinearWeights | undefined {
    const { hiddenSize } = this.#config;
    return this.#weights.has('pooler.dense.weight') ? this.linear('pooler.dense', hiddenSize, hiddenSize) : undefined;
  }

  linear(name: string, rows: number, cols: number): LinearWeights {
    return {
      weight: this.#b.matrix(this.#weights.take(`${name}.weight`, [rows, cols])),
      bias: this.#b.vector(this.#weights.take(`${name}.bias`, [rows])),
    };
  }

  norm(name: string, width: number): NormWeights {
    return {
      weight: this.#b.vector(this.#weights.take(`${name}.weight`, [width])),
      bias: this.#b.vector(this.#weights.take(`${name}.bias`, [width])),
    };
  }
}
