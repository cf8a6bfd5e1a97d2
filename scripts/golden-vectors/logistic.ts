import { LogisticRegression, type LogisticRegressionOptions } from '../../src/learn/linear/logistic-regression.js';
import { SparseMatrix } from '../../src/learn/matrix/sparse-matrix.js';
import { type Matrix, takeRows, toDense } from '../../src/learn/matrix/matrix.js';
import { StandardScaler } from '../../src/learn/features/standard-scaler.js';
import { crossValScore } from '../../src/learn/split/cross-validation.js';
import { stratifiedKFold } from '../../src/learn/split/folds.js';
import type { Label } from '../../src/metrics/classification.js';
import { check, difference, type Golden, listOf, number, type Outcome, rowsOf, type Tensor } from './read.js';

type Tensors = ReadonlyMap<string, Tensor>;

/** logistic/data.json: labels of the data sets, and the width of sparse ones. */
interface Meta {
  readonly labels: Readonly<Record<string, readonly Label[]>>;
  readonly tfidf?: { readonly features: number };
}

/** A fit of logistic/cases.json. */
interface Fit {
  readonly id: string;
  readonly data: string;
  readonly rows: readonly number[] | string;
  readonly columns: readonly number[] | null;
  readonly labels: readonly Label[] | null;
  readonly options: {
    readonly C: number | string;
    readonly sampleWeight: readonly number[] | null;
    readonly classWeight: 'balanced' | Readonly<Record<string, number>> | null;
    readonly fitIntercept: boolean;
    readonly maxIter: number;
    readonly tol: number;
  };
  readonly classes: readonly Label[];
  readonly iterations: number;
  readonly converged: boolean;
  readonly rounding: { readonly coef: number };
  readonly predicted: readonly number[];
  readonly accuracy: number;
  readonly objective?: number;
  readonly tightToMinimum: number | string;
}

interface CrossValidation {
  readonly data: string;
  readonly folds: { readonly splits: number; readonly shuffle: boolean; readonly seed: number };
  readonly scores: readonly { readonly C: number; readonly accuracy: readonly number[]; readonly f1_macro: readonly number[] }[];
}

interface Scaling {
  readonly x: readonly (readonly (number | string)[])[];
  readonly cases: readonly {
    readonly withMean: boolean;
    readonly withStd: boolean;
    readonly mean: readonly number[] | null;
    readonly variance: readonly number[] | null;
    readonly scale: readonly number[] | null;
    readonly transformed: readonly (readonly number[])[];
  }[];
}

/** Where rows, labels and expected numbers are. */
interface Fits {
  readonly data: Tensors;
  readonly meta: Meta;
  readonly expected: Tensors;
}

/** Fits of logistic/, scalers and cross-validation. */
export async function logistic(golden: Golden, outcome: Outcome): Promise<void> {
  const fits: Fits = {
    data: await golden.tensors('logistic/data.safetensors'),
    meta: golden.json<Meta>('logistic/data.json'),
    expected: await golden.tensors('logistic/expected.safetensors'),
  };
  const { cases, crossValidation } = golden.json<{ cases: Fit[]; crossValidation?: CrossValidation }>('logistic/cases.json');
  for (const item of cases) await compareFit(item, fits, outcome);
  if (crossValidation !== undefined) await compareFolds(crossValidation, fits, outcome);
  await compareScaler(golden.json<Scaling>('logistic/scaler.json'), outcome);
}

async function compareScaler({ x, cases }: Scaling, outcome: Outcome): Promise<void> {
  const rows = x.map((row) => Float64Array.from(row, number));
  for (const item of cases) {
    const scaled = await new StandardScaler({ withMean: item.withMean, withStd: item.withStd }).fit(rows);
    const name = `scaler ${item.withMean} ${item.withStd}`;
    for (const field of ['mean', 'variance', 'scale'] as const) {
      if (item[field] !== null) check(outcome, `${name} ${field}`, difference(scaled[field]!, item[field], true) <= 1e-12);
    }
    const got = (await scaled.transform(rows.slice(0, 5))).data;
    check(outcome, `${name} rows`, difference(got, item.transformed.flat(), true) <= 1e-12);
  }
}

function inputOf(item: Fit, { data, meta }: Fits): { x: Matrix; y: readonly Label[] } {
  let y = meta.labels[item.data]!;
  let x = matrixOf(item.data, data, meta);
  if (typeof item.rows !== 'string') {
    x = takeRows(x, item.rows);
    y = item.rows.map((row) => y[row]!);
  }
  const { columns, labels } = item;
  if (columns !== null) x = (x as Float64Array[]).map((row) => Float64Array.from(columns, (column) => row[column]!));
  return { x, y: labels === null ? y : y.map((label) => labels[Number(label)]!) };
}

function matrixOf(name: string, data: Tensors, meta: Meta): Matrix {
  const dense = data.get(`${name}.x`);
  if (dense === undefined) {
    const part = (key: string): number[] => data.get(`${name}.${key}`)!.data;
    return new SparseMatrix({ indptr: part('indptr'), indices: part('indices'), values: part('values'), columns: meta.tfidf!.features });
  }
  return rowsOf(dense);
}

function weightsOf({ options: { classWeight } }: Fit, y: readonly Label[]): 'balanced' | Map<Label, number> | undefined {
  if (classWeight === null) return undefined;
  if (classWeight === 'balanced') return classWeight;
  return new Map(Object.entries(classWeight).map(([key, weight]) => [y.find((label) => String(label) === key)!, weight]));
}

async function compareFit(item: Fit, fits: Fits, outcome: Outcome): Promise<void> {
  const { id } = item;
  const { x, y } = inputOf(item, fits);
  const { C, sampleWeight, classWeight: _, ...options } = item.options;
  const settings: LogisticRegressionOptions = { ...options, C: number(C), classWeight: weightsOf(item, y) };
  const fit = { sampleWeight: sampleWeight ?? undefined };
  const model = await new LogisticRegression(settings).fit(x, y, fit);
  const of = (key: string): readonly number[] => fits.expected.get(`${id}.${key}`)!.data;
  check(outcome, `${id} classes`, JSON.stringify(model.classes) === JSON.stringify(item.classes), JSON.stringify(model.classes));
  if (item.converged && item.rounding.coef <= 1e-7) {
    check(outcome, `${id} iterations`, model.nIter === item.iterations, `${model.nIter}, expected ${item.iterations}`);
    const far = Math.max(difference(model.coef.flatMap(listOf), of('coef')), difference(model.intercept, of('intercept')));
    check(outcome, `${id} coef`, far <= 1e-6, String(far));
    const predicted = (await model.predict(x)).map((label) => model.classes.indexOf(label));
    check(outcome, `${id} predicted`, predicted.join() === item.predicted.join());
    check(outcome, `${id} accuracy`, Math.abs((await model.score(x, y)) - item.accuracy) <= 1e-12);
  }
  if (!fits.expected.has(`${id}.minimum.coef`)) {
    check(outcome, `${id} warns`, model.converged === item.converged && model.nIter === item.iterations, `${model.nIter} iterations`);
    return;
  }
  const tight = await new LogisticRegression({ ...settings, tol: 1e-12, maxIter: 50_000 }).fit(x, y, fit);
  const near = Math.max(1e-6, 2 * number(item.tightToMinimum));
  const far = difference(tight.coef.flatMap(listOf), of('minimum.coef'));
  check(outcome, `${id} minimum`, far <= near, `${far}, scikit-learn ${item.tightToMinimum}`);
  const rows = Array.from({ length: Math.min(40, y.length) }, (_, i) => i);
  const probabilities = (await tight.predictProba(takeRows(x, rows))).flatMap(listOf);
  // A score moves by the row's sum times what coefficients may differ, and a probability by no more than a quarter of that.
  const { data, columns } = toDense(takeRows(x, rows), 'x');
  const sums = rows.map((row) =>
    listOf(data.subarray(row * columns, (row + 1) * columns)).reduce((sum, value) => sum + Math.abs(value), 1),
  );
  const apart = difference(probabilities, of('minimum.probabilities'));
  check(outcome, `${id} probabilities`, apart <= near * Math.max(...sums), String(apart));
  const value = await objectiveOf(tight, x, y, fit.sampleWeight);
  check(outcome, `${id} objective`, Math.abs(value - item.objective!) <= 1e-12, `${value}, expected ${item.objective}`);
}

/** The mean loss, weighted, and the penalty of a fitted model. */
async function objectiveOf(
  model: LogisticRegression,
  x: Matrix,
  y: readonly Label[],
  sampleWeight: readonly number[] | undefined,
): Promise<number> {
  const { C, classWeight } = model.options;
  const count = (label: Label): number => y.reduce((sum: number, each, i) => sum + (each === label ? (sampleWeight?.[i] ?? 1) : 0), 0);
  const all = model.classes.reduce((sum: number, label) => sum + count(label), 0);
  const weightOf = (label: Label): number =>
    classWeight === 'balanced' ? all / (model.classes.length * count(label)) : (classWeight?.get(label) ?? 1);
  const ofClass = new Map(model.classes.map((label) => [label, weightOf(label)]));
  const scores = await model.decisionFunction(x);
  let [loss, total] = [0, 0];
  y.forEach((label, i) => {
    const weight = (sampleWeight?.[i] ?? 1) * ofClass.get(label)!;
    const row = scores[i]!;
    const logits = row.length === 1 ? [0, row[0]!] : Array.from(row);
    const most = Math.max(...logits);
    const sum = logits.reduce((powers, logit) => powers + Math.exp(logit - most), 0);
    loss += weight * (Math.log(sum) + most - logits[model.classes.indexOf(label)]!);
    total += weight;
  });
  const squares = model.coef.reduce((sum, row) => sum + row.reduce((own, value) => own + value * value, 0), 0);
  return loss / total + squares / (2 * C * total);
}

async function compareFolds({ data: name, folds: cut, scores }: CrossValidation, { data, meta }: Fits, outcome: Outcome): Promise<void> {
  const y = meta.labels[name]!;
  const cv = stratifiedKFold(y, { nSplits: cut.splits, shuffle: cut.shuffle, randomState: cut.seed });
  for (const item of scores) {
    for (const scoring of ['accuracy', 'f1_macro'] as const) {
      const got = await crossValScore(() => new LogisticRegression({ C: item.C }), matrixOf(name, data, meta), y, { cv, scoring });
      check(outcome, `cross-validation C ${item.C} ${scoring}`, difference(got, item[scoring]) <= 1e-12);
    }
  }
}
