import { unexpected } from '../../expected.js';
import { received } from '../../options.js';
import { HASH_PRIME, HASH_SEED, hashUnits } from '../vocabulary/unit-map.js';
import { textOf, type Vocabulary } from '../vocabulary/vocabulary.js';

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
  const longest = merges.reduce((most, [left, right]) => Math.max(most, left.length + right.length), 0);
  const units = new Uint16Array(longest);
  const find = (from: number, length: number, hash: number, i: number): number => {
    const id = vocab.units.find(units, from, length, hash);
    if (id >= 0) return id;
    throw unexpected('TOKENIZER', `tokens of the vocabulary for ${path}[${i}]`, received(textOf(units.subarray(from, from + length))));
  };
  // The hash of what two tokens make goes on where that of the first ends: each unit is read once, and no string is made.
  for (let i = 0; i < merges.length; i++) {
    const [left, right] = merges[i] as MergePair;
    const { length } = left;
    let made = HASH_SEED;
    for (let k = 0; k < length; k++) made = Math.imul(made ^ (units[k] = left.charCodeAt(k)), HASH_PRIME);
    ids[3 * i] = find(0, length, made, i);
    let second = HASH_SEED;
    for (let k = 0; k < right.length; k++) {
      const unit = (units[length + k] = right.charCodeAt(k));
      second = Math.imul(second ^ unit, HASH_PRIME);
      made = Math.imul(made ^ unit, HASH_PRIME);
    }
    ids[3 * i + 1] = find(length, right.length, second, i);
    const rest = Math.max(0, right.length - prefix.length);
    if (prefix !== '') {
      units.copyWithin(length, length + prefix.length);
      made = hashUnits(units, 0, length + rest);
    }
    ids[3 * i + 2] = find(0, length + rest, made, i);
  }
  return ids;
}
