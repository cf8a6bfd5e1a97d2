import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { hstack, LogisticRegression, SparseMatrix, trainTestSplit, type Matrix } from '../../src/learn/index.js';
import { minimize } from '../../src/learn/linear/lbfgs.js';
import { NativeRows } from '../../src/learn/matrix/native-rows.js';
import { Random } from '../support/random.js';
import { codeOf, rejection } from '../support/checkpoint-files.js';

const t = suite('logistic regression');
const x = [
  [0, 1],
  [1, 0],
  [2, 1],
  [3, 4],
  [4, 3],
  [5, 5],
];
const y = ['a', 'a', 'a', 'b', 'b', 'b'];

t('predicts, scores and gives probabilities; predictSync agrees', async () => {
  const model = await new LogisticRegression().fit(x, y);
  assert.equal(await model.predict(x), y);
  assert.is(await model.score(x, y), 1);
  const rows = await model.predictProba(x);
  for (const [i, row] of x.entries()) {
    const { label, probabilities } = model.predictSync(row);
    assert.is(label, y[i]);
    assert.ok(Math.abs(probabilities[0]! - rows[i]![0]!) < 1e-12);
    assert.ok(Math.abs(probabilities[0]! + probabilities[1]! - 1) < 1e-12);
  }
});

t('dense float32, float64 and sparse rows give one model', async () => {
  const wide = Array.from({ length: 300 }, (_, i) => Float32Array.from({ length: 19 }, (_, j) => Math.fround(Math.sin(i * 7 + j * i))));
  const labels = wide.map((_, i) => i % 3);
  const indices = wide.flatMap((row) => Array.from(row, (_, j) => j));
  const sparse = new SparseMatrix({
    indptr: [0, ...wide.map((row, i) => row.length * (i + 1))],
    indices,
    values: wide.flatMap((row) => Array.from(row)),
    columns: 19,
  });
  const models = await Promise.all(
    [wide, wide.map((row) => Float64Array.from(row)), sparse].map((rows: Matrix) => new LogisticRegression().fit(rows, labels)),
  );
  for (const model of models) {
    assert.is(model.nIter, models[0]!.nIter);
    model.coef.forEach((row, c) => row.forEach((value, j) => assert.ok(Math.abs(value - models[0]!.coef[c]![j]!) < 1e-9)));
  }
});

t('bad input is refused with the place', async () => {
  const fit = (rows: Matrix, labels: readonly (string | number | boolean)[], options = {}) =>
    rejection(() => new LogisticRegression().fit(rows, labels, options)).then(({ code }) => code);
  assert.is(await fit(x, y.slice(1)), 'INVALID_ARG');
  assert.is(
    await fit(
      x,
      x.map(() => 'a'),
    ),
    'INVALID_ARG',
  );
  assert.is(await fit(x, ['a', 1, 'a', 'b', 'b', 'b']), 'INVALID_ARG');
  assert.is(await fit([], []), 'INVALID_ARG');
  assert.is(await fit(x, y, { sampleWeight: [1, 1, 1, 1, 1, -1] }), 'INVALID_ARG');
  assert.is(await fit(x, y, { sampleWeight: [0, 0, 0, 0, 0, 0] }), 'INVALID_ARG');
  assert.is(
    codeOf(() => new LogisticRegression({ C: 0 })),
    'INVALID_OPTION',
  );
  assert.is((await rejection(() => new LogisticRegression().predict(x))).code, 'INVALID_ARG');
  const model = await new LogisticRegression().fit(x, y);
  assert.is((await rejection(() => model.predict([[1, 2, 3]]))).code, 'INVALID_ARG');
  const notFinite = [[1, 2], [3, NaN], ...x.slice(2)];
  assert.match((await rejection(() => new LogisticRegression().fit(notFinite, y))).message, /row 1, column 1/);
});

t('a fit is aborted between evaluations, and the model stays unfitted', async () => {
  const abort = new AbortController();
  const model = new LogisticRegression({ tol: 1e-9, C: 1e6 });
  const reason = new Error('enough');
  const fit = model.fit(x, y, { signal: abort.signal, onProgress: () => abort.abort(reason) });
  assert.is(await fit.catch((error: unknown) => error), reason);
  assert.is((await rejection(() => model.predict(x))).code, 'INVALID_ARG');
});

t('a warm start from the minimum needs no iteration', async () => {
  const model = await new LogisticRegression({ warmStart: true, tol: 1e-3 }).fit(x, y);
  assert.ok(model.nIter > 0);
  await model.fit(x, y);
  assert.is(model.nIter, 0);
});

t('hstack joins dense and sparse; trainTestSplit takes any matrix', () => {
  const sparse = new SparseMatrix({ indptr: [0, 1, 1], indices: [1], values: [7], columns: 2 });
  const joined = hstack([
    [
      [1, 2],
      [0, 4],
    ],
    sparse,
  ]) as SparseMatrix;
  assert.equal(Array.from(joined.toDense().data), [1, 2, 0, 7, 0, 4, 0, 0]);
  const [train, test] = trainTestSplit([x, y], { testSize: 2, randomState: 42 });
  assert.equal(train, [x[5], x[2], x[4], x[3]]);
  assert.equal(test, [x[0], x[1]]);
});

t('a number that is not finite is named by row and column wherever it stands, dense and sparse', async () => {
  const [rows, columns] = [3000, 100]; // more than is copied at once
  const labels = Array.from({ length: rows }, (_, i) => i % 2);
  for (const [row, column, value] of [
    [0, 0, Infinity],
    [2047, 99, NaN],
    [2999, 99, -Infinity],
  ] as const) {
    const data = Float64Array.from({ length: rows * columns }, (_, i) => Math.sin(i));
    data[row * columns + column] = value;
    const sparse = new SparseMatrix({
      indptr: Array.from({ length: rows + 1 }, (_, i) => i * columns),
      indices: Int32Array.from(data, (_, i) => i % columns),
      values: data,
      columns,
    });
    for (const given of [{ data, dimensions: columns }, { data: Float32Array.from(data), dimensions: columns }, sparse]) {
      const { code, message } = await rejection(() => new LogisticRegression().fit(given as Matrix, labels));
      assert.is(code, 'INVALID_ARG');
      assert.ok(message.includes(`${value} in row ${row}, column ${column}`), message);
    }
  }
});

/** Loss and gradient as their formulas have them. */
function evaluated(rows: readonly Float64Array[], targets: Int32Array, classes: number, point: Float64Array, weights: Float64Array) {
  const [width, outputs] = [rows[0]!.length, classes === 2 ? 1 : classes];
  const gradient = new Float64Array(outputs * (width + 1));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let loss = 0;
  for (const [i, row] of rows.entries()) {
    const [target, weight] = [targets[i]!, weights[i]! / total];
    const scores = Array.from(
      { length: outputs },
      (_, c) => point[outputs * width + c]! + row.reduce((sum, x, k) => sum + x * point[c * width + k]!, 0),
    );
    if (outputs === 1) scores.unshift(0);
    const most = Math.max(...scores);
    const powers = scores.map((score) => Math.exp(score - most));
    const sum = powers.reduce((all, power) => all + power, 0);
    loss += weight * (most + Math.log(sum) - scores[target]!);
    for (let c = 0; c < outputs; c++) {
      const own = outputs === 1 ? 1 : c;
      const residual = weight * (powers[own]! / sum - (own === target ? 1 : 0));
      row.forEach((x, k) => (gradient[c * width + k]! += residual * x));
      gradient[outputs * width + c]! += residual;
    }
  }
  return { loss, gradient };
}

t('loss and gradient are those of float64, for any shape, small and huge scores', async () => {
  const random = new Random(3);
  for (const [count, width, classes, size] of [
    [1, 1, 2, 1],
    [5, 3, 2, 1],
    [63, 17, 2, 1],
    [64, 384, 2, 0.1],
    [200, 5, 2, 300],
    [130, 40, 2, 1e-9],
    [7, 2, 3, 1],
    [65, 33, 4, 1],
    [129, 8, 5, 200],
    [70, 100, 20, 0.3],
    [9, 6, 37, 1],
  ] as const) {
    const single = Array.from({ length: count }, () => random.floats(width, 1));
    const rows = single.map((row) => Float64Array.from(row));
    const targets = Int32Array.from({ length: count }, (_, i) => (i * 7) % classes);
    const point = Float64Array.from(random.floats((classes === 2 ? 1 : classes) * (width + 1), size));
    for (const weights of [undefined, Float64Array.from({ length: count }, (_, i) => 0.5 + (i % 3))]) {
      const wanted = evaluated(rows, targets, classes, point, weights ?? new Float64Array(count).fill(1));
      for (const given of [single, rows]) {
        const native = await NativeRows.copy(given, 'x');
        native.setTargets(targets, weights, classes);
        const got = await native.evaluate(point);
        const name = `${count} x ${width}, ${classes} classes, scores of ${size}`;
        assert.ok(Math.abs(got.at(-1)! - wanted.loss) <= 4e-15 * Math.max(1, wanted.loss), `loss of ${name}`);
        wanted.gradient.forEach((value, i) => assert.ok(Math.abs(got[i]! - value) <= 4e-15 * Math.max(1, size), `gradient of ${name}`));
      }
    }
  }
});

t('a row has the same scores wherever it stands', async () => {
  const random = new Random(4);
  const rows = Array.from({ length: 77 }, () => random.floats(45, 1));
  const point = Float64Array.from(random.floats(5 * 46, 1));
  const together = await (await NativeRows.copy(rows, 'x')).scores(point, 5);
  for (const [i, row] of rows.entries()) {
    const alone = await (await NativeRows.copy([row], 'x')).scores(point, 5);
    assert.equal([...alone], [...together.subarray(5 * i, 5 * i + 5)]);
  }
});

t('a tight tolerance goes on where rounding makes value and gradient go up and down', async () => {
  const curvatures = Float64Array.from({ length: 100 }, (_, i) => 10 ** (-4 + (7 * i) / 99));
  const excess = (point: Float64Array): number => point.reduce((sum, x, i) => sum + (curvatures[i]! * (x - 1) ** 2) / 2, 0);
  const { point, converged } = await minimize(
    (at) => Promise.resolve({ value: 2 + excess(at), gradient: at.map((x, i) => curvatures[i]! * (x - 1)) }),
    new Float64Array(curvatures.length),
    { tolerance: 1e-12, maxIterations: 50_000 },
  );
  assert.ok(converged);
  assert.ok(excess(point) < 1e-12, String(excess(point)));
});

t.run();
