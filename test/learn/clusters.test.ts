import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { codeOf, rejection } from '../support/checkpoint-files.js';
import { fitTemperature, KMeans, KNeighborsClassifier, NumpyRandom, PCA, scaledProbabilities } from '../../src/learn/index.js';

const t = suite('clusters, components, neighbours');

/** `count` points around each of three corners, 40 apart, [3 * count][width]. */
function corners(count: number, width: number, seed: number): Float64Array[] {
  const random = new NumpyRandom(seed);
  return Array.from({ length: 3 * count }, (_, i) =>
    Float64Array.from({ length: width }, (_unused, j) => random.uniform() + (j === i % 3 ? 40 : 0)),
  );
}

t('k-means++ finds three corners from any seed, and the same seed gives the same clusters', async () => {
  const x = corners(50, 7, 1);
  for (let seed = 0; seed < 5; seed++) {
    const model = await new KMeans({ nClusters: 3, seed }).fit(x);
    for (let i = 3; i < x.length; i++) assert.is(model.labels[i], model.labels[i % 3], `seed ${seed}, row ${i}`);
    const inertia = x.reduce((sum, row, i) => {
      const center = model.clusterCenters[model.labels[i]!]!;
      return sum + row.reduce((own, value, j) => own + (value - center[j]!) ** 2, 0);
    }, 0);
    assert.ok(Math.abs(model.inertia - inertia) < 1e-9 * inertia);
    assert.equal(await model.predict(x), model.labels);
    const again = await new KMeans({ nClusters: 3, seed }).fit(x);
    assert.equal(again.clusterCenters, model.clusterCenters);
  }
});

t('of several tries the one with the least inertia stays', async () => {
  const x = corners(30, 4, 3).map((row) => row.map((value) => value % 7));
  const single = await Promise.all([0, 1, 2].map(async (seed) => (await new KMeans({ nClusters: 9, seed }).fit(x)).inertia));
  const { inertia } = await new KMeans({ nClusters: 9, seed: 0, nInit: 8 }).fit(x);
  assert.ok(inertia <= single[0]!, `${inertia} of 8 tries, ${single.join(', ')} of one`);
});

t('components of rows in a plane: two keep all, back they give the rows', async () => {
  const random = new NumpyRandom(4);
  const x = Array.from({ length: 60 }, () => {
    const [a, b] = [random.uniform() * 9, random.uniform()];
    return Float64Array.from([a + 1e6, 2 * a - b, b, a + b + 3, -a]);
  });
  const pca = await new PCA({ nComponents: 0.999999 }).fit(x);
  assert.is(pca.nComponents, 2);
  for (const [i, component] of pca.components.entries()) {
    assert.ok(Math.abs(component.reduce((sum, value) => sum + value * value, 0) - 1) < 1e-12);
    const largest = component.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
    assert.ok(largest > 0, `component ${i}`);
  }
  const points = await pca.transform(x);
  assert.is(points.dimensions, 2);
  const back = pca.inverseTransform(points).data;
  x.flatMap((row) => Array.from(row)).forEach((value, i) => assert.ok(Math.abs(back[i]! - value) < 1e-8));
});

t('components of rows of a low rank: the rest explain nothing', async () => {
  const random = new NumpyRandom(11);
  const draw = (count: number): Float64Array => Float64Array.from({ length: count }, () => random.uniform() - 0.5);
  const [rank, dimensions] = [18, 384];
  const directions = Array.from({ length: rank }, () => draw(dimensions));
  const x = Array.from({ length: 60 }, () => {
    const shares = draw(rank);
    return Float64Array.from({ length: dimensions }, (_, i) => shares.reduce((sum, share, k) => sum + share * directions[k]![i]!, 0));
  });
  const { explainedVariance } = await new PCA({ nComponents: 40 }).fit(x);
  assert.ok(explainedVariance[rank - 1]! > 1e-3 * explainedVariance[0]!);
  explainedVariance.slice(rank).forEach((value) => assert.ok(Math.abs(value) < 1e-13 * explainedVariance[0]!));
});

t('neighbours: a row is its own nearest, at distance 0, and alone counts', async () => {
  const x = corners(20, 5, 2);
  const y = x.map((_, i) => ['a', 'b', 'c'][i % 3]!);
  for (const metric of ['cosine', 'euclidean'] as const) {
    const model = await new KNeighborsClassifier({ metric, weights: 'distance' }).fit(x, y);
    const [nearest] = await model.kneighbors(x.slice(7, 8), 3);
    assert.is(nearest!.indices[0], 7);
    assert.is(nearest!.distances[0], 0);
    assert.equal(Array.from((await model.predictProba(x.slice(7, 8)))[0]!), [0, 1, 0]);
    assert.is(await model.score(x, y), 1);
  }
});

t('a temperature that logits were multiplied by is found again', () => {
  const random = new NumpyRandom(8);
  const logits = Array.from({ length: 4000 }, () => Float64Array.from({ length: 3 }, () => random.uniform() * 4));
  const targets = scaledProbabilities(logits, 1).map((shares) => {
    const draw = random.uniform();
    return draw < shares[0]! ? 0 : draw < shares[0]! + shares[1]! ? 1 : 2;
  });
  const { temperature, logLoss, logLossBefore } = fitTemperature(
    logits.map((row) => row.map((logit) => logit * 5)),
    targets,
  );
  assert.ok(Math.abs(temperature - 5) < 0.5, String(temperature));
  assert.ok(logLoss < logLossBefore);
  const once = fitTemperature(logits, targets).temperature;
  assert.ok(Math.abs(temperature - 5 * once) < 1e-9, `${temperature}, ${once}`);
  // Scores of the second of two classes are logits 0 and the score.
  const scores = logits.map((row) => row[0]! - 2);
  const halves = scores.map((score) => (random.uniform() < 1 / (1 + Math.exp(-score)) ? 1 : 0));
  assert.is(
    fitTemperature(scores, halves).temperature,
    fitTemperature(
      scores.map((score) => [0, score]),
      halves,
    ).temperature,
  );
});

t('what does not fit is refused', async () => {
  const x = corners(2, 3, 1);
  assert.is((await rejection(() => new KMeans({ nClusters: 9 }).fit(x))).code, 'INVALID_ARG');
  assert.is((await rejection(() => new KMeans({ nClusters: 2, init: x.slice(0, 1) }).fit(x))).code, 'INVALID_ARG');
  assert.is((await rejection(() => new KMeans({ nClusters: 2 }).fit([...x, Float64Array.from([1, NaN, 2])]))).code, 'INVALID_ARG');
  assert.is((await rejection(() => new KMeans({ nClusters: 2 }).predict(x))).code, 'INVALID_ARG');
  assert.is(
    codeOf(() => new KMeans({ nClusters: 0 })),
    'INVALID_OPTION',
  );
  assert.is((await rejection(() => new PCA({ nComponents: 4 }).fit(x))).code, 'INVALID_ARG');
  assert.is((await rejection(() => new PCA().fit(x.slice(0, 1)))).code, 'INVALID_ARG');
  assert.is((await rejection(() => new KNeighborsClassifier({ nNeighbors: 7 }).fit(x, [1, 2, 1, 2, 1, 2]))).code, 'INVALID_ARG');
  const model = await new KNeighborsClassifier({ nNeighbors: 1 }).fit(x, [1, 2, 1, 2, 1, 2]);
  assert.is((await rejection(() => model.predict([Float64Array.from([1, 2])]))).code, 'INVALID_ARG');
  assert.is(
    codeOf(() => fitTemperature([[1, 2]], [2])),
    'INVALID_ARG',
  );
});

t('an abort between two passes is its reason, and leaves what was fitted', async () => {
  const x = corners(40, 6, 5);
  const model = await new KMeans({ nClusters: 3 }).fit(x);
  const { inertia } = model;
  const client = new AbortController();
  const reason = new Error('enough');
  const onProgress = (): void => client.abort(reason);
  let thrown: unknown;
  await model.fit(corners(40, 6, 6), { signal: client.signal, onProgress }).catch((error: unknown) => (thrown = error));
  assert.is(thrown, reason);
  assert.is(model.inertia, inertia);
  assert.is(await new PCA().fit(x, { signal: AbortSignal.abort(reason) }).catch((error: unknown) => error), reason);
});

t.run();
