import { createHash } from 'node:crypto';
import { OneHotEncoder } from '../../src/learn/features/one-hot-encoder.js';
import type { SparseMatrix } from '../../src/learn/matrix/sparse-matrix.js';
import { kFold, stratifiedKFold } from '../../src/learn/split/folds.js';
import { NumpyRandom } from '../../src/learn/split/numpy-random.js';
import { splitIndices } from '../../src/learn/split/train-test-split.js';
import { CountVectorizer } from '../../src/learn/text/count-vectorizer.js';
import { englishStopWords } from '../../src/learn/text/stop-words.js';
import { TfidfVectorizer } from '../../src/learn/text/tfidf-vectorizer.js';
import { kWordCharacter } from '../../src/learn/text/tokenize.js';
import { type Case, check, difference, type Golden, type Outcome, refusedOr } from './read.js';

/** text.json: counts and TF-IDF. */
export async function text(golden: Golden, outcome: Outcome): Promise<void> {
  const { corpora, cases, englishStopWords: stop } = golden.json('text.json');
  check(outcome, 'stop words', (stop as string[]).join() === [...englishStopWords].join());
  for (const item of cases as Case[]) {
    const name = `${item['kind']} ${item['corpus']} ${JSON.stringify(item['options'])}`;
    await refusedOr(outcome, name, item, () => {
      const { tokenPattern, ...options } = item['options'] as Case;
      if (tokenPattern !== undefined) options['tokenPattern'] = pythonPattern(tokenPattern);
      const vectorizer = item['kind'] === 'count' ? new CountVectorizer(options) : new TfidfVectorizer(options);
      const matrix = vectorizer.fitTransform(corpora[item['corpus']]);
      if (item['error'] !== undefined) return;
      const { result } = item;
      const features = vectorizer.getFeatureNamesOut();
      check(
        outcome,
        `${name} features`,
        JSON.stringify(features) === JSON.stringify(result.features),
        firstDifference(features, result.features),
      );
      check(outcome, `${name} values`, isMatrix(matrix, result));
      if (result.unseen !== undefined) check(outcome, `${name} unseen`, isMatrix(vectorizer.transform(result.unseen.texts), result.unseen));
      if (result.idf !== undefined && result.idf !== null && vectorizer.constructor === TfidfVectorizer) {
        check(outcome, `${name} idf`, difference(vectorizer.idf!, result.idf) <= 1e-12);
      }
    });
  }
}

function firstDifference(got: readonly string[], expected: readonly string[]): string {
  const i = got.findIndex((feature, place) => feature !== expected[place]);
  return `${got.length} of ${expected.length}, at ${i}: ${JSON.stringify(got[i])}, ${JSON.stringify(expected[i])}`;
}

/** A pattern of Python's in JavaScript's words: \w and \b of Unicode. */
function pythonPattern(source: string): RegExp {
  const boundary = `(?:(?<=${kWordCharacter})(?!${kWordCharacter})|(?<!${kWordCharacter})(?=${kWordCharacter}))`;
  return new RegExp(source.replace('(?u)', '').replaceAll('\\b', boundary).replaceAll('\\w', kWordCharacter), 'gu');
}

function isMatrix(got: SparseMatrix, expected: Case): boolean {
  const isSame = (a: ArrayLike<number>, b: readonly number[]): boolean => Array.from(a).join() === b.join();
  return (
    isSame(got.indptr, expected['indptr']) &&
    isSame(got.indices, expected['indices']) &&
    difference(got.values, expected['values']) <= 1e-12
  );
}

/** one-hot.json. */
export async function oneHot(golden: Golden, outcome: Outcome): Promise<void> {
  const { tables, strangers, cases } = golden.json('one-hot.json');
  for (const item of cases as Case[]) {
    const name = `${item['table']} ${JSON.stringify(item['options'])}`;
    await refusedOr(outcome, name, item, async () => {
      const encoder = new OneHotEncoder(item['options']);
      const rows = encoder.fitTransform(tables[item['table']]);
      if (item['error'] !== undefined) return;
      const { result } = item;
      const same = (what: string, got: unknown, expected: unknown): void =>
        check(outcome, `${name} ${what}`, JSON.stringify(got) === JSON.stringify(expected), JSON.stringify(got));
      same('categories', encoder.categories, result.categories);
      same('rows', listsOf(rows), result.rows);
      same('names', encoder.getFeatureNamesOut(), result.names);
      same('back', encoder.inverseTransform(rows), result.back);
      if (result.strangers === undefined || result.strangers === null) return;
      await refusedOr(outcome, `${name} strangers`, result.strangers, () => {
        const got = listsOf(encoder.transform(strangers[item['table']]));
        if (result.strangers.error === undefined) same('strangers', got, result.strangers.result);
      });
    });
  }
}

function listsOf(matrix: SparseMatrix): number[][] {
  const { data, dimensions } = matrix.toDense();
  return Array.from({ length: matrix.rows }, (_, i) => Array.from(data.slice(i * dimensions, (i + 1) * dimensions)));
}

/** split.json: permutations, draws, splits, folds. */
export async function split(golden: Golden, outcome: Outcome): Promise<void> {
  for (const [i, item] of (golden.json('split.json')['cases'] as Case[]).entries()) {
    const name = `${item['kind']} ${i}`;
    // Python refuses 1.0 as a share and takes 1 as a count; here they are one number.
    if (item['error'] === 'InvalidParameterError' && (item['testSize'] === 1 || item['trainSize'] === 1)) continue;
    await refusedOr(outcome, name, item, () => {
      const seed = item['seed'] ?? undefined;
      const got = splits[item['kind'] as string]!(item, seed);
      if (item['error'] !== undefined) return;
      const expected: unknown = item['result'] ?? [item['uint32'], item['uniform']];
      check(outcome, name, isListed(got, expected), JSON.stringify(item).slice(0, 120));
    });
  }
}

const splits: Record<string, (item: Case, seed: number | undefined) => unknown> = {
  permutation: (item, seed) => new NumpyRandom(seed!).permutation(item['n']),
  draws: (item, seed) => {
    const [whole, shares] = [new NumpyRandom(seed!), new NumpyRandom(seed!)];
    return [(item['uint32'] as number[]).map(() => whole.uint32()), (item['uniform'] as number[]).map(() => shares.uniform())];
  },
  trainTestSplit: (item, randomState) => {
    const { train, test } = splitIndices(item['n'], {
      testSize: item['testSize'] ?? undefined,
      trainSize: item['trainSize'] ?? undefined,
      shuffle: item['shuffle'],
      stratify: item['stratify'] ?? undefined,
      randomState,
    });
    return [train, test];
  },
  stratifiedKFold: (item, randomState) => {
    const labels = item['labels'] as string[];
    const folds = stratifiedKFold(labels, { nSplits: item['splits'], shuffle: item['shuffle'], randomState });
    if (Array.isArray(item['result'])) return folds.map(({ test }) => test);
    const fold = labels.map(() => '');
    folds.forEach(({ test }, k) => test.forEach((row) => (fold[row] = String.fromCharCode(48 + k))));
    return fold.join('');
  },
  kFold: (item, randomState) =>
    kFold(item['n'], { nSplits: item['splits'], shuffle: item['shuffle'], randomState }).map(({ test }) => test),
};

/** Whether a list is what is written: itself, or for a long one its length and hash. */
function isListed(got: unknown, expected: unknown): boolean {
  if (Array.isArray(expected)) {
    return Array.isArray(got) && got.length === expected.length && expected.every((each, i) => isListed(got[i], each));
  }
  if (typeof expected !== 'object' || expected === null) return got === expected;
  const bytes = new Uint8Array(Int32Array.from(got as number[]).buffer);
  return createHash('sha256').update(bytes).digest('hex') === (expected as Case)['sha256'];
}
