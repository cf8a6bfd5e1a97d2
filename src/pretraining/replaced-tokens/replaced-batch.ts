import type { NativeMicroBatch } from '../../runtime/native.js';
import type { PackedBatch } from '../../runtime/batch.js';

/** What the discriminator reads. */
export interface ReplacedBatch extends Pick<PackedBatch, 'cuSeqlens' | 'inputIds' | 'tokenTypeIds'> {
  /** [tokens]: 1 for a token that is not what stood there. */
  readonly numbers: Float32Array;
}

/** A batch of masked words, its text again, with `words` [selected] in place of those that were to be predicted. */
export function replacedTokens(
  { cuSeqlens, inputIds, tokenTypeIds, selected, cuSelected, labels }: NativeMicroBatch,
  words: Int32Array,
): ReplacedBatch {
  const ids = inputIds.slice();
  const numbers = new Float32Array(ids.length);
  for (let sequence = 0; sequence + 1 < cuSeqlens.length; sequence++) {
    for (let i = cuSelected![sequence]!; i < cuSelected![sequence + 1]!; i++) {
      const token = cuSeqlens[sequence]! + selected![i]!;
      ids[token] = words[i]!;
      numbers[token] = words[i] === labels![i] ? 0 : 1;
    }
  }
  return { cuSeqlens, inputIds: ids, tokenTypeIds, numbers };
}
