import type { ActivationName } from '../checkpoint/activation.js';
import type { JsonObject } from '../checkpoint/json-fields.js';
import type { Labels } from '../checkpoint/labels.js';

/** Where positions enter: added to the embeddings, or terms of the attention scores (`relative` is DeBERTa's), or a turn of queries and keys. */
export type PositionEmbeddingType = 'absolute' | 'alibi' | 'relative' | 'relative_key' | 'relative_key_query' | 'rope';

/**
 * config.json with one vocabulary for all architectures, every number within its bounds. What only some uses need (labels, problem type,
 * class names, the padding's id) never keeps a model from being loaded; see `Labels`.
 */
export interface EncoderConfig extends Labels {
  /** Class names such as BertForMaskedLM; empty where the file names none. They choose between the heads that the weights allow. */
  readonly architectures: readonly string[];
  readonly vocabSize: number;
  readonly hiddenSize: number;
  /** Width of the embedding tables; below `hiddenSize` only in ELECTRA and ALBERT, which then project. */
  readonly embeddingSize: number;
  readonly numLayers: number;
  readonly numHeads: number;
  readonly headDim: number;
  readonly intermediateSize: number;
  readonly hiddenAct: ActivationName;
  readonly layerNormEps: number;
  /** Rows of the position table; without one, the longest input. */
  readonly maxPositionEmbeddings: number;
  /** Row of the first token: 0, or 2 in MPNet and RoBERTa. */
  readonly positionOffset: number;
  /** Token that takes the row before `positionOffset` wherever it stands, and that positions do not count: `<pad>` of MPNet and RoBERTa. */
  readonly uncountedId?: number;
  /** Most tokens a sequence can have: what is left of the position table after `positionOffset`. */
  readonly maxSequenceLength: number;
  /** Rows of the token type table; 0 where the architecture has none. */
  readonly typeVocabSize: number;
  /** Kinds that the family does not have are rejected: CONFIG_UNSUPPORTED. */
  readonly positionEmbeddingType: PositionEmbeddingType;
  /** Rows of MPNet's table of relative attention biases, otherwise 0. */
  readonly relativeAttentionBuckets: number;
  /** Undefined where the file says null or no id of the vocabulary (-1, for instance). The encoder does not need it. */
  readonly padTokenId: number | undefined;
  readonly tieWordEmbeddings: boolean;
  /** Whether each token sees itself and those before it alone. */
  readonly isDecoder: boolean;
  /** The file as parsed. Keys are untrusted; look them up with Object.hasOwn. */
  readonly raw: JsonObject;
}
