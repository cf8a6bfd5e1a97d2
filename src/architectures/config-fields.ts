import type { JsonFields, JsonObject } from '../checkpoint/json-fields.js';
import type { PositionEmbeddingType } from './encoder-config.js';

/** A size of config.json: its names, of which the first that is there counts, and what transformers fills in. */
export type SizeField = readonly [names: readonly string[], fallback: number];

/** How a family reads config.json: the names of its fields and what transformers 5.24 fills in. */
export interface ConfigFields {
  readonly hiddenSize: SizeField;
  readonly numLayers: SizeField;
  readonly numHeads: SizeField;
  readonly intermediateSize: SizeField;
  /** The names of the activation's field, and what it is without one. */
  readonly hiddenAct: readonly [names: readonly string[], fallback: string];
  readonly vocabSize: number;
  /** The names of the vocabulary's field, of which the first that has a value counts. Default: `vocab_size`. */
  readonly vocabNames?: readonly string[];
  /** Rows of the position table; without one, the longest input. */
  readonly maxPositions: SizeField;
  /** Where inputs cannot be as long, how long they can. Errors: CONFIG, CONFIG_UNSUPPORTED. */
  readonly longestInput?: (fields: JsonFields, raw: JsonObject) => number | undefined;
  /** 0 where the family has no token types. */
  readonly typeVocabSize: number;
  /** Whether `type_vocab_size` may be 0 although the family has the field. */
  readonly mayLackTypes?: boolean;
  readonly padTokenId: number;
  /** Where embeddings can be narrower than the layers: how wide they are without `embedding_size`, a number or as wide as the layers. */
  readonly embeddingSize?: number | 'hidden';
  /** A number where the code has it; absent: 1e-12. */
  readonly epsilon?: SizeField | number;
  /** Whether the fields of a decoder mean anything. */
  readonly canDecode: boolean;
  readonly positionType: PositionEmbeddingType;
  /** What else `position_embedding_type` may say; absent where the field means nothing. */
  readonly otherPositionTypes?: readonly PositionEmbeddingType[];
  /** Token that takes one row of the position table wherever it stands, a number or `pad_token_id`; rows up to its own are not counted. */
  readonly uncountedId?: number | 'padding';
  /** Buckets into which the code sorts distances; `relative_attention_num_buckets` only sizes the table. */
  readonly relativeBuckets?: number;
}
