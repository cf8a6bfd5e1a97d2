/** A size of config.json: its names, of which the first that is there counts, and what transformers fills in. */
export type SizeField = readonly [names: readonly string[], fallback: number];

/** How a family reads config.json: the names of its fields and what transformers 5.24 fills in. */
export interface ConfigFields {
  readonly hiddenSize: SizeField;
  readonly numLayers: SizeField;
  readonly numHeads: SizeField;
  readonly intermediateSize: SizeField;
  /** The name of the activation's field. */
  readonly hiddenAct: string;
  readonly vocabSize: number;
  /** 0 where the family has no token types. */
  readonly typeVocabSize: number;
  readonly padTokenId: number;
  /** Where embeddings can be narrower than the layers. */
  readonly embeddingSize?: number;
  /** Whether `layer_norm_eps` counts; else the code has the number. */
  readonly hasEpsilon: boolean;
  /** Whether the fields of a decoder and of other position embeddings mean anything. */
  readonly canDecode: boolean;
  /** Token that takes one row of the position table wherever it stands; rows up to its own are not counted. */
  readonly uncountedId?: number;
  /** Buckets into which the code sorts distances; `relative_attention_num_buckets` only sizes the table. */
  readonly relativeBuckets?: number;
}
