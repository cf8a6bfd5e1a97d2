/** Sequences end to end, never padded: sequence i is rows cuSeqlens[i] .. cuSeqlens[i + 1]. */
export interface PackedBatch {
  /** [tokens] */
  readonly inputIds: Int32Array;
  /** [tokens] */
  readonly tokenTypeIds: Int32Array;
  /** [batchSize + 1] */
  readonly cuSeqlens: Int32Array;
  /** `[batchSize]`: tokens at the start of each sequence that pooling leaves out. */
  readonly poolSkip?: Int32Array;
  /** Token positions, each within its own sequence, whose rows `selected` values hold. */
  readonly selected?: Int32Array;
  /** `[batchSize + 1]`: which of `selected` belong to which sequence. */
  readonly cuSelected?: Int32Array;
  /** `[selected, 16]`: words whose logits a `pick_targets` value holds, for each of `selected`. */
  readonly targets?: Int32Array;
}

/** Lays token ids end to end. Without type ids they are 0. */
export function packBatch(sequences: readonly { readonly ids: Int32Array; readonly typeIds?: ArrayLike<number> }[]): PackedBatch {
  const cuSeqlens = new Int32Array(sequences.length + 1);
  sequences.forEach(({ ids }, i) => (cuSeqlens[i + 1] = cuSeqlens[i]! + ids.length));
  const tokens = cuSeqlens[sequences.length]!;
  const inputIds = new Int32Array(tokens);
  const tokenTypeIds = new Int32Array(tokens);
  sequences.forEach(({ ids, typeIds }, i) => {
    inputIds.set(ids, cuSeqlens[i]!);
    if (typeIds !== undefined) tokenTypeIds.set(typeIds, cuSeqlens[i]!);
  });
  return { inputIds, tokenTypeIds, cuSeqlens };
}
