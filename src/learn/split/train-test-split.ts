import { unexpected, wrongOption } from '../../expected.js';
import { type Check, flag, integer, readOptions } from '../../options.js';
import type { Label } from '../../metrics/classification.js';
import { classesOf, placesOf } from '../linear/labels.js';
import { isSparse, type Matrix, shapeOf, takeRows } from '../matrix/matrix.js';
import { NumpyRandom } from './numpy-random.js';

/** Options of `trainTestSplit`. */
export interface SplitOptions {
  /** A share below 1, or how many. Default: the rest of `trainSize`, or a quarter. */
  readonly testSize?: number | undefined;
  /** A share below 1, or how many. Default: the rest. */
  readonly trainSize?: number | undefined;
  /** numpy's seed. Default: drawn. */
  readonly randomState?: number | undefined;
  /** Default true. */
  readonly shuffle?: boolean | undefined;
  /** Labels whose shares both sides keep. */
  readonly stratify?: readonly Label[] | undefined;
}

const size: Check<number> = (value, name) => {
  const isShare = typeof value === 'number' && value > 0 && value < 1;
  const isCount = Number.isInteger(value) && (value as number) >= 1;
  if (!isShare && !isCount) throw wrongOption(`a share between 0 and 1 or a whole number from 1 for ${name}`, value);
  return value as number;
};
const labels: Check<readonly Label[]> = (value, name) => {
  if (!Array.isArray(value)) throw wrongOption(`a list of labels for ${name}`, value);
  return value as readonly Label[];
};
/** A check for numpy's seeds. */
export const seed = integer(0, 2 ** 32 - 1);
const schema = { testSize: size, trainSize: size, randomState: seed, shuffle: flag, stratify: labels };

/** Row numbers of both sides. */
export interface Split {
  readonly train: readonly number[];
  readonly test: readonly number[];
}

/**
 * Splits rows as scikit-learn's train_test_split: the same seed gives the same rows. Lists and matrices are given together, and come
 * back as [train, test] of the first, then of the second, and so on.
 *
 * Errors: INVALID_OPTION for a side that is empty or sizes beyond the rows; INVALID_ARG for lists of different lengths, and for classes
 * with one member where `stratify` is given.
 *
 * @example
 * const [xTrain, xTest, yTrain, yTest] = trainTestSplit([vectors, labels], { testSize: 0.2, randomState: 42 });
 */
export function trainTestSplit<const T extends readonly (readonly unknown[] | Matrix)[]>(lists: T, options?: SplitOptions): SplitOf<T> {
  if (!Array.isArray(lists) || lists.length === 0) throw unexpected('INVALID_ARG', 'lists for trainTestSplit', 'none');
  const counts = lists.map(countOf);
  const other = counts.findIndex((count) => count !== counts[0]);
  if (other > 0) throw unexpected('INVALID_ARG', `${counts[0]} rows, as list 0 has, for list ${other} of trainTestSplit`, counts[other]!);
  const { train, test } = splitIndices(counts[0]!, options);
  const take = (list: readonly unknown[] | Matrix, rows: readonly number[]): unknown =>
    Array.isArray(list) ? rows.map((row) => (list as readonly unknown[])[row]) : takeRows(list as Matrix, rows);
  return lists.flatMap((list) => [take(list, train), take(list, test)]) as unknown as SplitOf<T>;
}

/** What `trainTestSplit` returns: each list twice. */
export type SplitOf<T extends readonly unknown[]> = T extends readonly [infer First, ...infer Rest]
  ? [Mutable<First>, Mutable<First>, ...SplitOf<Rest>]
  : T extends readonly []
    ? []
    : Mutable<T[number]>[];
type Mutable<T> = T extends readonly (infer Item)[] ? Item[] : T;

/** The rows of both sides, by number. Errors: as `trainTestSplit`. */
export function splitIndices(n: number, options?: SplitOptions): Split {
  const { testSize, trainSize, randomState, shuffle = true, stratify } = readOptions('trainTestSplit', options, schema);
  const { train, test } = sizes(n, testSize, trainSize);
  if (!shuffle) {
    if (stratify !== undefined) throw unexpected('INVALID_OPTION', 'shuffle where stratify of trainTestSplit is given', 'shuffle: false');
    const all = Array.from({ length: train + test }, (_, i) => i);
    return { train: all.slice(0, train), test: all.slice(train) };
  }
  const random = new NumpyRandom(randomState ?? Math.floor(Math.random() * 2 ** 32));
  if (stratify !== undefined) return stratified(n, stratify, train, test, random);
  const order = random.permutation(n);
  return { test: order.slice(0, test), train: order.slice(test, test + train) };
}

function countOf(list: readonly unknown[] | Matrix, i: number): number {
  if (Array.isArray(list)) return list.length;
  return isSparse(list) ? list.rows : shapeOf(list as Matrix, `list ${i} of trainTestSplit`).rows;
}

function sizes(n: number, testSize: number | undefined, trainSize: number | undefined): { train: number; test: number } {
  for (const [name, value] of Object.entries({ testSize, trainSize })) {
    if (value !== undefined && value >= 1 && value >= n) {
      throw unexpected('INVALID_OPTION', `less than the ${n} rows for trainTestSplit option ${name}`, value);
    }
  }
  if (testSize === undefined && trainSize === undefined) testSize = 0.25;
  const isShare = (value: number | undefined): value is number => value !== undefined && value < 1;
  if (isShare(testSize) && isShare(trainSize) && testSize + trainSize > 1) {
    throw unexpected('INVALID_OPTION', 'testSize and trainSize of trainTestSplit of at most 1 together', testSize + trainSize);
  }
  const asTest = isShare(testSize) ? Math.ceil(testSize * n) : testSize;
  const asTrain = isShare(trainSize) ? Math.floor(trainSize * n) : trainSize;
  const train = asTrain ?? n - asTest!;
  const test = asTest ?? n - asTrain!;
  if (train + test > n) throw unexpected('INVALID_OPTION', `at most ${n} rows on both sides of trainTestSplit`, `${train} and ${test}`);
  if (train === 0 || test < 0)
    throw unexpected('INVALID_OPTION', 'rows on both sides of trainTestSplit', `${train} to train, ${test} to test`);
  return { train, test };
}

function stratified(n: number, stratify: readonly Label[], train: number, test: number, random: NumpyRandom): Split {
  if (stratify.length !== n) throw unexpected('INVALID_ARG', `${n} labels for stratify of trainTestSplit`, stratify.length);
  const classes = classesOf(stratify, 'stratify of trainTestSplit');
  const places = placesOf(stratify, classes, 'stratify of trainTestSplit');
  const members: number[][] = classes.map(() => []);
  places.forEach((place, row) => members[place]!.push(row));
  const single = members.findIndex(({ length }) => length < 2);
  if (single >= 0) {
    throw unexpected('INVALID_ARG', 'two rows or more of each class for stratify of trainTestSplit', `one of ${String(classes[single])}`);
  }
  if (train < classes.length || test < classes.length) {
    throw unexpected(
      'INVALID_OPTION',
      `${classes.length} rows or more, one for each class, on both sides of trainTestSplit`,
      `${train} and ${test}`,
    );
  }
  const counts = members.map(({ length }) => length);
  const forTrain = shares(counts, train, random);
  const forTest = shares(
    counts.map((count, i) => count - forTrain[i]!),
    test,
    random,
  );
  const [trained, tested]: number[][] = [[], []];
  members.forEach((rows, i) => {
    const order = random.permutation(rows.length).map((place) => rows[place]!);
    trained!.push(...order.slice(0, forTrain[i]));
    tested!.push(...order.slice(forTrain[i], forTrain[i]! + forTest[i]!));
  });
  return { train: random.shuffle(trained!), test: random.shuffle(tested!) };
}

/** How many of each class `draws` rows take: shares rounded down, then one more for the largest remainders, ties drawn. */
function shares(counts: readonly number[], draws: number, random: NumpyRandom): number[] {
  const all = counts.reduce((sum, count) => sum + count, 0);
  const exact = counts.map((count) => (count / all) * draws);
  const taken = exact.map(Math.floor);
  let left = Math.trunc(draws - taken.reduce((sum, count) => sum + count, 0));
  if (left <= 0) return taken;
  const remainders = exact.map((value, i) => value - taken[i]!);
  for (const remainder of [...new Set(remainders)].sort((a, b) => b - a)) {
    const equal = remainders.flatMap((value, i) => (value === remainder ? [i] : []));
    const now = Math.min(equal.length, left);
    const order = random.permutation(equal.length);
    for (const place of order.slice(0, now)) taken[equal[place]!]!++;
    left -= now;
    if (left === 0) break;
  }
  return taken;
}
