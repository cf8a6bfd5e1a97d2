import { unexpected } from '../../expected.js';
import { received } from '../../options.js';
import type { Vocabulary } from '../vocabulary/vocabulary.js';

/** The left and the right token of a merge. */
export type MergePair = readonly [left: string, right: string];

/** The `merges` of a BPE model: strings `"a b"` or, since tokenizers 0.20, pairs. Errors: TOKENIZER. */
export function readMerges(value: unknown, path: string): MergePair[] {
  if (!Array.isArray(value)) throw unexpected('TOKENIZER', `a list of merges for ${path}`, received(value));
  return value.map((merge: unknown, i): MergePair => {
    const pair: unknown[] = typeof merge === 'string' ? merge.split(' ') : Array.isArray(merge) ? (merge as unknown[]) : [];
    const [left, right] = pair;
    if (pair.length !== 2 || typeof left !== 'string' || typeof right !== 'string') {
      throw unexpected('TOKENIZER', `two tokens for ${path}[${i}]`, received(merge));
    }
    return [left, right];
  });
}

/** The lines `a b` of a merges.txt, without those that say its version. Errors: TOKENIZER. */
export function readMergesFile(text: string): MergePair[] {
  const lines = text.split('\n').map((line) => line.replace(/\r$/, ''));
  const merges = lines.filter((line, i) => !line.startsWith('#version') && !(line === '' && i === lines.length - 1));
  return readMerges(merges, 'merges.txt');
}

/**
 * [merges, 3]: the ids of the two tokens of each merge and of what they make: the second without `prefix` behind the first.
 *
 * Errors: TOKENIZER, for tokens that the vocabulary lacks.
 */
export function mergeTokens(merges: readonly MergePair[], vocab: Vocabulary, prefix: string, path: string): Int32Array {
  const ids = new Int32Array(3 * merges.length);
  merges.forEach(([left, right], i) => {
    const made = left + right.slice(prefix.length);
    [left, right, made].forEach((token, k) => {
      const id = vocab.get(token);
      if (id === undefined) throw unexpected('TOKENIZER', `tokens of the vocabulary for ${path}[${i}]`, received(token));
      ids[3 * i + k] = id;
    });
  });
  return ids;
}
