import { LogisticRegression, type LogisticRegressionOptions } from '../../src/learn/linear/logistic-regression.js';
import { SparseMatrix } from '../../src/learn/matrix/sparse-matrix.js';
import { type Matrix, takeRows } from '../../src/learn/matrix/matrix.js';
import { StandardScaler } from '../../src/learn/features/standard-scaler.js';
import { crossValScore } from '../../src/learn/split/cross-validation.js';
import { stratifiedKFold } from '../../src/learn/split/folds.js';
import type { Label } from '../../src/metrics/classification.js';
import { type Case, check, difference, type Golden, number, type Outcome } from './read.js';

type Tensors = Awaited<ReturnType<Golden['tensors']>>;

/** Fits of logistic/, scalers and cross-validation. */
export async function logistic(golden: Golden, outcome: Outcome): Promise<void> {
  const data = await golden.tensors('logistic/data.safetensors');
  const meta = golden.json('logistic/data.json');
  const expected = await golden.tensors('logistic/expected.safetensors');
  const { cases, crossValidation } = golden.json('logistic/cases.json');
  for (const item of cases as Case[]) await one(item, data, meta, expected, outcome);
  if (crossValidation !== undefined) await folds(crossValidation as Case, data, meta, outcome);
  const scaler = golden.json('logistic/scaler.json');
  const rows = (scaler['x'] as unknown[][]).map((row) => Float64Array.from(row, number));
  for (const item of scaler['cases'] as Case[]) {
    const scaled = new StandardScaler({ withMean: item['withMean'], withStd: item['withStd'] }).fit(rows);
    const name = `scaler ${item['withMean']} ${item['withStd']}`;
    for (const field of ['mean', 'variance', 'scale'] as const) {
      if (item[field] !== null) check(outcome, `${name} ${field}`, difference(scaled[field]!, item[field], true) <= 1e-12);
    }
    const got = Array.from(scaled.transform(rows.slice(0, 5)).data);
    check(outcome, `${name} rows`, difference(got, (item['transformed'] as number[][]).flat(), true) <= 1e-12);
  }
}

function inputOf(item: Case, data: Tensors, meta: Case): { x: Matrix; y: Label[] } {
  const name = item['data'] as string;
  let labels = (meta['labels'] as Record<string, Label[]>)[name]!;
  let x: Matrix = matrixOf(name, data, meta);
  if (Array.isArray(item['rows'])) {
    x = takeRows(x, item['rows'] as number[]);
    labels = (item['rows'] as number[]).map((row) => labels[row]!);
  }
  const columns = item['columns'] as number[] | null;
  if (Array.isArray(columns)) x = (x as Float64Array[]).map((row) => Float64Array.from(columns, (column) => row[column]!));
  const names = item['labels'] as Label[] | null;
  return { x, y: names === null ? labels : labels.map((label) => names[Number(label)]!) };
}

function matrixOf(name: string, data: Tensors, meta: Case): Matrix {
  const dense = data.get(`${name}.x`);
  if (dense === undefined) {
    const part = (key: string): number[] => data.get(`${name}.${key}`)!.data;
    return new SparseMatrix({ indptr: part('indptr'), indices: part('indices'), values: part('values'), columns: meta[name].features });
  }
  const [rows, width] = dense.shape as [number, number];
  const type = dense.isSingle ? Float32Array : Float64Array;
  return Array.from({ length: rows }, (_, i) => type.from(dense.data.slice(i * width, (i + 1) * width)));
}

async function one(item: Case, data: Tensors, meta: Case, expected: Tensors, outcome: Outcome): Promise<void> {
  const id = item['id'] as string;
  const { x, y } = inputOf(item, data, meta);
  const { C, sampleWeight, classWeight, ...options } = item['options'] as Case;
  const settings: LogisticRegressionOptions = { ...options, C: number(C) };
  const byName = (key: string): Label => y.find((label) => String(label) === key)!;
  const weights =
    classWeight === null
      ? undefined
      : classWeight === 'balanced'
        ? 'balanced'
        : new Map(Object.entries(classWeight as Record<string, number>).map(([key, weight]) => [byName(key), weight]));
  const fit = { sampleWeight: (sampleWeight as number[] | null) ?? undefined };
  const model = await new LogisticRegression({ ...settings, classWeight: weights }).fit(x, y, fit);
  const flat = (fitted: LogisticRegression): number[] => fitted.coef.flatMap((row) => Array.from(row));
  check(outcome, `${id} classes`, JSON.stringify(model.classes) === JSON.stringify(item['classes']), JSON.stringify(model.classes));
  if (item['converged'] === true && item['rounding'].coef <= 1e-7) {
    check(outcome, `${id} iterations`, model.nIter === item['iterations'], `${model.nIter}, expected ${item['iterations']}`);
    const far = Math.max(
      difference(flat(model), expected.get(`${id}.coef`)!.data),
      difference(model.intercept, expected.get(`${id}.intercept`)!.data),
    );
    check(outcome, `${id} coef`, far <= 1e-6, String(far));
  }
  if (expected.get(`${id}.minimum.coef`) === undefined) return;
  const tight = await new LogisticRegression({ ...settings, classWeight: weights, tol: 1e-12, maxIter: 50_000 }).fit(x, y, fit);
  const far = difference(flat(tight), expected.get(`${id}.minimum.coef`)!.data);
  check(
    outcome,
    `${id} minimum`,
    far <= Math.max(1e-6, 2 * number(item['tightToMinimum'])),
    `${far}, scikit-learn ${item['tightToMinimum']}`,
  );
}

async function folds({ data: name, folds: cut, scores }: Case, data: Tensors, meta: Case, outcome: Outcome): Promise<void> {
  const y = (meta['labels'] as Record<string, Label[]>)[name as string]!;
  const cv = stratifiedKFold(y, { nSplits: cut.splits, shuffle: cut.shuffle, randomState: cut.seed });
  for (const item of scores as Case[]) {
    for (const scoring of ['accuracy', 'f1_macro']) {
      const got = await crossValScore(() => new LogisticRegression({ C: item['C'] }), matrixOf(name, data, meta), y, { cv, scoring });
      check(outcome, `cross-validation C ${item['C']} ${scoring}`, difference(got, item[scoring]) <= 1e-12);
    }
  }
}
