// Every estimator of learn, saved and read into scikit-learn by docs/learn.md's lines, and what scikit-learn fitted read here: both sides must
// give the same of the same rows.  tsx scripts/check-python/estimators.ts PYTHON, or as a part of `npm run check:python`.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import {
  CountVectorizer,
  KMeans,
  KNeighborsClassifier,
  LogisticRegression,
  OneHotEncoder,
  PCA,
  StandardScaler,
  TfidfVectorizer,
} from '../../src/learn/index.js';

interface PythonCase {
  readonly folder: string;
  readonly type: string;
  readonly call: 'predict' | 'transform';
  readonly x: readonly (readonly number[])[];
  readonly expected: readonly (string | readonly number[])[];
}

type Rows = { readonly data: ArrayLike<number>; readonly dimensions: number };

const table = (rows: Rows): number[][] =>
  Array.from({ length: rows.data.length / rows.dimensions }, (_, i) =>
    Array.from({ length: rows.dimensions }, (_, j) => rows.data[i * rows.dimensions + j]!),
  );

/** Saves each estimator with what it makes of some rows. */
async function save(folder: string): Promise<void> {
  const x = Array.from({ length: 60 }, (_, i) => Array.from({ length: 4 }, (_, j) => Math.sin(i * 3 + j * j + (i % 3) * 5 * j)));
  const y = x.map((_, i) => ['low', 'mid', 'high'][i % 3]!);
  const texts = ['one two three', 'two three three four', 'one four five', 'Ünd two-five'];
  const colours = x.map((_, i) => [['red', 'green', 'blue'][i % 3]!, ['s', 'm'][i % 2]!]);
  const cases: object[] = [];
  const add = async (
    name: string,
    stem: string,
    call: string,
    given: object,
    model: { save(path: string): Promise<void> },
    expected: unknown,
  ): Promise<void> => {
    await model.save(join(folder, name));
    cases.push({ folder: name, stem, call, ...given, expected });
  };
  for (const [name, options] of Object.entries({ scaler: {}, 'scaler-mean': { withStd: false } })) {
    const scaler = await new StandardScaler(options).fit(x);
    await add(name, 'scaler', 'transform', { x }, scaler, table(await scaler.transform(x)));
  }
  for (const [name, options] of Object.entries({ pca: { nComponents: 2 }, 'pca-whiten': { nComponents: 3, whiten: true } })) {
    const pca = await new PCA(options).fit(x);
    await add(name, 'pca', 'transform', { x }, pca, table(await pca.transform(x)));
  }
  const means = await new KMeans({ nClusters: 3, seed: 5 }).fit(x);
  await add('k-means', 'clusters', 'predict', { x }, means, Array.from(await means.predict(x)));
  const logistic = await new LogisticRegression({ classWeight: new Map([['low', 2]]) }).fit(x, y);
  await add(
    'logistic',
    'classifier',
    'predict_proba',
    { x },
    logistic,
    (await logistic.predictProba(x)).map((row) => Array.from(row)),
  );
  for (const metric of ['cosine', 'euclidean'] as const) {
    const neighbors = await new KNeighborsClassifier({ nNeighbors: 3, metric }).fit(x, y);
    await add(`neighbors-${metric}`, 'classifier', 'predict', { x }, neighbors, await neighbors.predict(x));
  }
  const encoder = new OneHotEncoder().fit(colours);
  await add('one-hot', 'one-hot', 'transform', { table: colours }, encoder, table(encoder.transform(colours).toDense()));
  const counts = await new CountVectorizer({ ngramRange: [1, 2] }).fit(texts);
  await add('counts', 'vectorizer', 'transform', { texts }, counts, table((await counts.transform(texts)).toDense()));
  for (const [name, options] of Object.entries({ tfidf: { sublinearTf: true }, 'tfidf-plain': { norm: null, smoothIdf: false } })) {
    const tfidf = await new TfidfVectorizer(options).fit(texts);
    await add(name, 'vectorizer', 'transform', { texts }, tfidf, table((await tfidf.transform(texts)).toDense()));
  }
  writeFileSync(join(folder, 'cases.json'), JSON.stringify(cases));
}

/** Reads what Python wrote; the number that differ. */
async function load(folder: string): Promise<number> {
  let failures = 0;
  for (const item of JSON.parse(readFileSync(join(folder, 'py-cases.json'), 'utf8')) as PythonCase[]) {
    const path = join(folder, item.folder);
    const load: Readonly<Record<string, () => Promise<unknown>>> = {
      StandardScaler: async () => table(await (await StandardScaler.load(path)).transform(item.x)),
      PCA: async () => table(await (await PCA.load(path)).transform(item.x)),
      KNeighborsClassifier: async () => (await KNeighborsClassifier.load(path)).predict(item.x),
      LogisticRegression: async () => (await LogisticRegression.load(path)).predict(item.x),
    };
    const got = ((await load[item.type]!()) as PythonCase['expected']).flat();
    const isSame = item.expected.flat().every((value, i) => value === got[i] || Math.abs(Number(value) - Number(got[i])) < 1e-6);
    if (!isSame) failures++;
    process.stdout.write(`${isSame ? 'ok  ' : 'FAIL'} ${item.folder}\n`);
  }
  return failures;
}

/** Compares all; the number of failures. */
export async function compareEstimators(python: string): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), 'bertha-estimators-'));
  const script = fileURLToPath(new URL('estimators.py', import.meta.url));
  const run = (what: string): number => spawnSync(python, [script, what, folder], { stdio: 'inherit' }).status ?? 1;
  try {
    await save(folder);
    const failures = run('READ') + run('WRITE');
    return failures + (await load(folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = (await compareEstimators(process.argv[2]!)) > 0 ? 1 : 0;
