import { createHash } from 'node:crypto';
import { kFold, stratifiedKFold } from '../../src/learn/split/folds.js';
import { NumpyRandom } from '../../src/learn/split/numpy-random.js';
import { splitIndices } from '../../src/learn/split/train-test-split.js';
import type { Label } from '../../src/metrics/classification.js';
import { check, type Golden, type Outcome, refusedOr, type Refusal } from './read.js';

interface SplitCase extends Refusal {
  readonly kind: string;
  readonly seed?: number | null;
  readonly n: number;
  readonly uint32?: readonly number[];
  readonly uniform?: readonly number[];
  readonly testSize?: number | null;
  readonly trainSize?: number | null;
  readonly shuffle?: boolean;
  readonly stratify?: readonly Label[] | null;
  readonly splits?: number;
  readonly labels?: readonly Label[];
  readonly result?: unknown;
}

/** split.json: permutations, draws, splits, folds. */
export async function split(golden: Golden, outcome: Outcome): Promise<void> {
  for (const [i, item] of golden.json<{ cases: SplitCase[] }>('split.json').cases.entries()) {
    const name = `${item.kind} ${i}`;
    // Python refuses 1.0 as a share and takes 1 as a count; here they are one number.
    if (item.error === 'InvalidParameterError' && (item.testSize === 1 || item.trainSize === 1)) continue;
    await refusedOr(outcome, name, item, () => {
      const seed = item.seed ?? undefined;
      const got = makers[item.kind]!(item, seed);
      if (item.error !== undefined) return;
      const expected: unknown = item.result ?? [item.uint32, item.uniform];
      check(outcome, name, isListed(got, expected), JSON.stringify(item).slice(0, 120));
    });
  }
}

const makers: Readonly<Record<string, (item: SplitCase, seed: number | undefined) => unknown>> = {
  permutation: (item, seed) => new NumpyRandom(seed!).permutation(item.n),
  draws: (item, seed) => {
    const [whole, shares] = [new NumpyRandom(seed!), new NumpyRandom(seed!)];
    return [item.uint32!.map(() => whole.uint32()), item.uniform!.map(() => shares.uniform())];
  },
  trainTestSplit: (item, randomState) => {
    const { train, test } = splitIndices(item.n, {
      testSize: item.testSize ?? undefined,
      trainSize: item.trainSize ?? undefined,
      shuffle: item.shuffle,
      stratify: item.stratify ?? undefined,
      randomState,
    });
    return [train, test];
  },
  stratifiedKFold: (item, randomState) => {
    const labels = item.labels!;
    const folds = stratifiedKFold(labels, { nSplits: item.splits, shuffle: item.shuffle, randomState });
    if (Array.isArray(item.result)) return folds.map(({ test }) => test);
    const fold = labels.map(() => '');
    folds.forEach(({ test }, k) => test.forEach((row) => (fold[row] = String.fromCharCode(48 + k))));
    return fold.join('');
  },
  kFold: (item, randomState) => kFold(item.n, { nSplits: item.splits, shuffle: item.shuffle, randomState }).map(({ test }) => test),
};

/** How a long list is written: its length, its hash as int32, and its ends. */
interface Listed {
  readonly sha256: string;
  readonly length: number;
}

/** Whether a list is what is written. */
function isListed(got: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    return Array.isArray(got) && got.length === expected.length && expected.every((each, i) => isListed(got[i], each));
  }
  if (typeof expected !== 'object' || expected === null) return got === expected;
  const { sha256, length } = expected as Listed;
  const numbers = Int32Array.from(got as readonly number[]);
  return numbers.length === length && createHash('sha256').update(new Uint8Array(numbers.buffer)).digest('hex') === sha256;
}
