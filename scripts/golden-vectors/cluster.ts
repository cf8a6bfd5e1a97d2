import { KMeans } from '../../src/learn/clusters/k-means.js';
import { PCA } from '../../src/learn/decomposition/pca.js';
import { KNeighborsClassifier, type KNeighborsOptions } from '../../src/learn/neighbors/k-neighbors-classifier.js';
import type { Label } from '../../src/metrics/classification.js';
import { check, difference, type Golden, listOf, type Outcome, rowsOf, type Tensor } from './read.js';

interface ClusterCase {
  readonly kind: 'kMeans';
  readonly id: string;
  readonly data: string;
  readonly k: number;
  readonly labels: readonly number[];
  readonly inertia: number;
  readonly iterations: number;
}

interface PcaCase {
  readonly kind: 'pca';
  readonly id: string;
  readonly data: string;
  readonly components: number | null;
  readonly whiten: boolean;
  readonly kept?: number;
  readonly variance: readonly number[];
  readonly ratio: readonly number[];
  readonly singular: readonly number[];
  readonly noise: number;
}

interface NeighborCase {
  readonly kind: 'kNearest';
  readonly k: number;
  readonly weights: NonNullable<KNeighborsOptions['weights']>;
  readonly metric: NonNullable<KNeighborsOptions['metric']>;
  readonly train: number;
  readonly classes: readonly Label[];
  readonly predicted: readonly number[];
  readonly neighbors: readonly (readonly number[])[];
  readonly distances: readonly (readonly number[])[];
}

interface ClusterFile {
  readonly labels: readonly Label[];
  readonly cases: readonly (ClusterCase | PcaCase | NeighborCase)[];
}

type Tensors = ReadonlyMap<string, Tensor>;

/** cluster/: clusters from given centres, principal components, nearest neighbours. */
export async function cluster(golden: Golden, outcome: Outcome): Promise<void> {
  const { labels, cases } = golden.json<ClusterFile>('cluster/cases.json');
  const tensors = await golden.tensors('cluster/data.safetensors');
  for (const item of cases) {
    if (item.kind === 'kMeans') await compareClusters(item, tensors, outcome);
    else if (item.kind === 'pca') await comparePca(item, tensors, outcome);
    else await compareNeighbors(item, tensors, labels, outcome);
  }
}

async function compareClusters(item: ClusterCase, tensors: Tensors, outcome: Outcome): Promise<void> {
  const name = `k-means ${item.id}`;
  const x = rowsOf(tensors.get(item.data)!);
  const model = await new KMeans({ nClusters: item.k, init: rowsOf(tensors.get(`kmeans.${item.id}.init`)!) }).fit(x);
  check(outcome, `${name} labels`, listOf(model.labels).join() === item.labels.join());
  check(outcome, `${name} iterations`, model.nIter === item.iterations, `${model.nIter}, expected ${item.iterations}`);
  check(
    outcome,
    `${name} inertia`,
    difference([model.inertia], [item.inertia], true) <= 1e-9,
    `${model.inertia}, expected ${item.inertia}`,
  );
  const far = difference(model.clusterCenters.flatMap(listOf), tensors.get(`kmeans.${item.id}.centers`)!.data);
  check(outcome, `${name} centres`, far <= 1e-9, String(far));
  check(outcome, `${name} predicted`, listOf(await model.predict(x)).join() === item.labels.join());
}

async function comparePca(item: PcaCase, tensors: Tensors, outcome: Outcome): Promise<void> {
  const name = `pca ${item.id}`;
  const x = rowsOf(tensors.get(item.data)!);
  const pca = await new PCA({ nComponents: item.components ?? undefined, whiten: item.whiten }).fit(x);
  if (item.kept !== undefined) {
    check(outcome, `${name} components`, pca.nComponents === item.kept, `${pca.nComponents}, expected ${item.kept}`);
    return;
  }
  const near = (what: string, got: ArrayLike<number>, expected: ArrayLike<number>): void => {
    const far = difference(got, expected);
    check(outcome, `${name} ${what}`, far <= 1e-9, String(far));
  };
  near('variance', pca.explainedVariance, item.variance);
  near('ratio', pca.explainedVarianceRatio, item.ratio);
  near('singular', pca.singularValues, item.singular);
  near('noise', [pca.noiseVariance], [item.noise]);
  near('components', pca.components.flatMap(listOf), tensors.get(`pca.${item.id}.components`)!.data);
  near('mean', pca.mean, tensors.get(`pca.${item.id}.mean`)!.data);
  near('transformed', (await pca.transform(x.slice(0, 10))).data, tensors.get(`pca.${item.id}.transformed`)!.data);
}

async function compareNeighbors(item: NeighborCase, tensors: Tensors, labels: readonly Label[], outcome: Outcome): Promise<void> {
  const { k, weights, metric, train } = item;
  const name = `neighbours ${weights} ${metric} ${k}`;
  const x = rowsOf(tensors.get('sentences')!);
  const model = await new KNeighborsClassifier({ nNeighbors: k, weights, metric }).fit(x.slice(0, train), labels.slice(0, train));
  const rest = x.slice(train);
  check(outcome, `${name} classes`, model.classes.join() === item.classes.join());
  const found = await model.kneighbors(rest.slice(0, item.neighbors.length));
  check(
    outcome,
    `${name} indices`,
    found.every(({ indices }, i) => listOf(indices).join() === item.neighbors[i]!.join()),
  );
  const far = Math.max(...found.map(({ distances }, i) => difference(distances, item.distances[i]!)));
  check(outcome, `${name} distances`, far <= 1e-9, String(far));
  const shares = (await model.predictProba(rest)).flatMap(listOf);
  const apart = difference(shares, tensors.get(`knn.${weights}.${metric}.${k}.probabilities`)!.data);
  check(outcome, `${name} probabilities`, apart <= 1e-9, String(apart));
  const predicted = (await model.predict(rest)).map((label) => model.classes.indexOf(label));
  check(outcome, `${name} predicted`, predicted.join() === item.predicted.join());
}
