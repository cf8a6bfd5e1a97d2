import { ngramIds, subwordHash, wordNgramIds } from '../../src/word-vectors/subwords.js';
import { check, type Golden, type Outcome } from './read.js';

interface SubwordCase {
  readonly word?: string;
  readonly bytes?: readonly number[];
  readonly minn: number;
  readonly maxn: number;
  readonly bucket: number;
  readonly ids: readonly number[];
}

interface SubwordFile {
  readonly hashes: readonly { readonly text: string; readonly hash: number }[];
  readonly wordNgrams: readonly {
    readonly ids: readonly number[];
    readonly n: number;
    readonly bucket: number;
    readonly added: readonly number[];
  }[];
  readonly cases: readonly SubwordCase[];
}

/** subwords.json: numbers of fastText's n-grams of characters and of words. */
export function subwords(golden: Golden, outcome: Outcome): Promise<void> {
  const { hashes, wordNgrams, cases } = golden.json<SubwordFile>('subwords.json');
  for (const { text, hash } of hashes) check(outcome, `hash of ${text}`, subwordHash(text) === hash);
  for (const { ids, n, bucket, added } of wordNgrams) {
    check(outcome, `${n}-grams of ${ids.join(' ')}`, wordNgramIds(ids, n, bucket).join() === added.join());
  }
  for (const { word, bytes, minn, maxn, bucket, ids } of cases) {
    const got = ngramIds(word ?? Uint8Array.from(bytes!), { minN: minn, maxN: maxn, bucket });
    check(outcome, `n-grams ${minn} to ${maxn} of ${word ?? bytes!.join(' ')} in ${bucket}`, Array.from(got).join() === ids.join());
  }
  return Promise.resolve();
}
