import { unexpected } from '../../expected.js';
import { flag, integer, readOptions } from '../../options.js';
import type { Label } from '../../metrics/classification.js';
import { classesOf } from '../linear/labels.js';
import { NumpyRandom } from './numpy-random.js';
import { seed, type Split } from './train-test-split.js';

/** Options of `kFold` and `stratifiedKFold`. */
export interface FoldOptions {
  /** Default 5. */
  readonly nSplits?: number | undefined;
  /** Default false. */
  readonly shuffle?: boolean | undefined;
  /** numpy's seed, for `shuffle`. Default: drawn. */
  readonly randomState?: number | undefined;
}

const schema = { nSplits: integer(2, 2 ** 31), shuffle: flag, randomState: seed };

/** `n` rows in folds, each once the test: scikit-learn's KFold. Errors: INVALID_OPTION for more folds than rows. */
export function kFold(n: number, options?: FoldOptions): Split[] {
  const { nSplits, random } = read('kFold', n, options);
  const order = random?.permutation(n) ?? Array.from({ length: n }, (_, i) => i);
  const fold = new Int32Array(n);
  let next = 0;
  for (let k = 0; k < nSplits; k++) {
    const size = Math.floor(n / nSplits) + (k < n % nSplits ? 1 : 0);
    for (const row of order.slice(next, next + size)) fold[row] = k;
    next += size;
  }
  return splitsOf(fold, nSplits);
}

/**
 * The same with every class spread over the folds: scikit-learn's StratifiedKFold. A class with fewer rows than folds is a process warning.
 *
 * Errors: INVALID_OPTION for more folds than rows; INVALID_ARG where every class has fewer rows than folds.
 */
export function stratifiedKFold(y: readonly Label[], options?: FoldOptions): Split[] {
  const { nSplits, random } = read('stratifiedKFold', y.length, options);
  classesOf(y, 'y of stratifiedKFold');
  const numbers = new Map<Label, number>();
  const places = y.map((label) => {
    if (!numbers.has(label)) numbers.set(label, numbers.size);
    return numbers.get(label)!;
  });
  const counts = Array.from(numbers, () => 0);
  for (const place of places) counts[place]!++;
  if (Math.max(...counts) < nSplits) {
    throw unexpected('INVALID_ARG', `a class of ${nSplits} rows or more for stratifiedKFold`, `at most ${Math.max(...counts)}`);
  }
  if (Math.min(...counts) < nSplits) {
    process.emitWarning(`The rarest class of stratifiedKFold has ${Math.min(...counts)} rows, fewer than the ${nSplits} folds.`, {
      code: 'BERTHA_LEARN',
    });
  }
  const sorted = [...places].sort((a, b) => a - b);
  const shares = Array.from({ length: nSplits }, (_, k) => {
    const share = counts.map(() => 0);
    for (let i = k; i < sorted.length; i += nSplits) share[sorted[i]!]!++;
    return share;
  });
  const fold = new Int32Array(y.length);
  counts.forEach((_, k) => {
    const folds = shares.flatMap((share, i) => new Array<number>(share[k]!).fill(i));
    random?.shuffle(folds);
    let next = 0;
    places.forEach((place, row) => {
      if (place === k) fold[row] = folds[next++]!;
    });
  });
  return splitsOf(fold, nSplits);
}

function read(name: string, n: number, options: FoldOptions | undefined): { nSplits: number; random: NumpyRandom | undefined } {
  const { nSplits = 5, shuffle = false, randomState } = readOptions(name, options, schema);
  if (nSplits > n) throw unexpected('INVALID_OPTION', `at most as many folds as the ${n} rows for ${name} option nSplits`, nSplits);
  return { nSplits, random: shuffle ? new NumpyRandom(randomState ?? Math.floor(Math.random() * 2 ** 32)) : undefined };
}

function splitsOf(fold: Int32Array, nSplits: number): Split[] {
  const rows = Array.from(fold, (_, row) => row);
  return Array.from({ length: nSplits }, (_, k) => ({
    train: rows.filter((row) => fold[row] !== k),
    test: rows.filter((row) => fold[row] === k),
  }));
}
