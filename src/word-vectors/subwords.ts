import { nativeWords } from './native-words.js';

/** Which n-grams of a word's characters fastText counts. */
export interface NgramRange {
  readonly minN: number;
  /** 0: none. */
  readonly maxN: number;
  /** Rows that n-grams share by their hash. */
  readonly bucket: number;
}

/** The rows of a word's n-grams in a table of fastText, in its order. Bytes need not be UTF-8. Errors: ADDON_LOAD, INVALID_ARG. */
export function ngramIds(word: string | Uint8Array, { minN, maxN, bucket }: NgramRange): Int32Array {
  const bytes = typeof word === 'string' ? new TextEncoder().encode(word) : word;
  return nativeWords().ngramIds(bytes, minN, maxN, bucket);
}

/** fastText's hash: FNV-1a over bytes read as signed numbers, 32 bits. */
export function subwordHash(text: string): number {
  let hash = 2166136261;
  for (const byte of new TextEncoder().encode(text)) hash = Math.imul(hash ^ ((byte << 24) >> 24), 16777619);
  return hash >>> 0;
}

/** The rows of the n-grams, of 2 to `n` words, of a line of word numbers in a supervised model of fastText. */
export function wordNgramIds(ids: readonly number[], n: number, bucket: number): number[] {
  return ids.flatMap((first, i) => {
    let hash = BigInt(first);
    return ids.slice(i + 1, i + n).map((id) => {
      hash = BigInt.asUintN(64, hash * 116049371n + BigInt(id));
      return Number(hash % BigInt(bucket));
    });
  });
}
