import Module from 'node:module';
import * as assert from 'uvu/assert';
import { mapTexts, render, type CollectionProgress, type MapOptions, type TextMap } from '../../src/explain/index.js';
import type { BerthaError } from '../../src/index.js';
import { Random } from '../support/random.js';
import { suite } from '../support/suite.js';

const t = suite('umap');
const [kClusters, kEach, kWidth] = [10, 12, 24];
/** Ten balls in 24 dimensions: more than two components tell apart. */
const rows = balls();
const texts = rows.map((_, i) => `text ${i}`);
const mapped = (options?: MapOptions): Promise<TextMap> => mapTexts(rows, texts, { method: 'umap', clusters: 2, keywords: 0, ...options });
const placesOf = ({ points }: TextMap): (readonly number[])[] => points.map(({ x, y }) => [x, y]);

function balls(): number[][] {
  const random = new Random(3);
  const spread = (size: number): number[] => Array.from({ length: kWidth }, () => size * (random.next() - 0.5));
  return Array.from({ length: kClusters }, () => spread(4)).flatMap((centre) =>
    Array.from({ length: kEach }, () => {
      const own = spread(2);
      return centre.map((value, j) => value + own[j]!);
    }),
  );
}

/** Of each point the others, the nearest first. */
function ranking(points: readonly (readonly number[])[]): number[][] {
  const square = (a: readonly number[], b: readonly number[]): number => a.reduce((sum, value, j) => sum + (value - b[j]!) ** 2, 0);
  return points.map((own, i) => {
    const far = points.map((other) => square(own, other));
    return [...far.keys()].filter((j) => j !== i).sort((a, b) => far[a]! - far[b]!);
  });
}

/** Venna & Kaski 2001, as scikit-learn's `trustworthiness`. */
function trustworthiness(before: readonly (readonly number[])[], after: readonly (readonly number[])[], k: number): number {
  const [old, now, n] = [ranking(before), ranking(after), before.length];
  let penalty = 0;
  now.forEach((list, i) => list.slice(0, k).forEach((j) => (penalty += Math.max(0, old[i]!.indexOf(j) + 1 - k))));
  return 1 - (2 * penalty) / (n * k * (2 * n - 3 * k - 1));
}

function failureOf(promise: Promise<unknown>): Promise<unknown> {
  return promise.then(
    () => 'nothing',
    (error: unknown) => error,
  );
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  const { code, message } = (await failureOf(promise)) as BerthaError;
  return `${code}: ${message}`;
}

t('keeps neighbours that two principal components do not', async () => {
  const [umap, pca] = [await mapped(), await mapped({ method: 'pca' })];
  const [ours, linear] = [umap, pca].map((map) => trustworthiness(rows, placesOf(map), 8)) as [number, number];
  assert.ok(ours > 0.98 && 1 - ours < (1 - linear) / 4, `${ours} of UMAP, ${linear} of PCA`);
  assert.equal([umap.method, umap.seed, umap.explainedVarianceRatio, umap.warnings], ['umap', 1, undefined, []]);
  assert.equal([pca.method, pca.explainedVarianceRatio?.length], ['pca', 2]);
});

t('has equal bytes for equal seeds, other points for another seed', async () => {
  const first = placesOf(await mapped({ seed: 7 }));
  assert.equal(placesOf(await mapped({ seed: 7 })), first);
  assert.not.equal(placesOf(await mapped({ seed: 8 })), first);
});

t('takes 4 points or more, equal ones too, and says how many there were of fewer', async () => {
  const of = (vectors: readonly (readonly number[])[], options?: MapOptions) =>
    mapTexts(vectors, vectors.map(String), { method: 'umap', clusters: 1, ...options });
  for (const vectors of [
    [[1], [2], [3], [5]],
    Array.from({ length: 5 }, () => [0, 0]),
    Array.from({ length: 40 }, (_, i) => [i < 20 ? 1 : i, 2]),
  ]) {
    const { points } = await of(vectors);
    assert.ok(points.length === vectors.length && points.every(({ x, y }) => Number.isFinite(x) && Number.isFinite(y)));
  }
  assert.match(await codeOf(of([[1], [2], [3]])), /^INVALID_ARG: Expected 4 texts or more for method 'umap' of mapTexts but received 3\./);
  assert.match(await codeOf(of([[1], [2], [3], [4]], { maxPoints: 3 })), /^INVALID_ARG: .* received 3\./);
  assert.match(await codeOf(of([[1], [2], [NaN], [4]])), /^INVALID_ARG: .*index 2/);
  assert.match(await codeOf(mapped({ method: 'tsne' as never })), /^INVALID_OPTION: .*umap/);
});

t('tells its epochs while the event loop is free, and ends with the signal’s reason', async () => {
  const heard: CollectionProgress[] = [];
  let turns = 0;
  const turn = setInterval(() => turns++, 1);
  await mapped({ onProgress: (progress) => heard.push(progress) });
  clearInterval(turn);
  assert.equal(heard.at(-1), { done: 500, total: 500 });
  assert.ok(heard.length === 50 && heard.every(({ done }, i) => done === 10 * (i + 1)));
  assert.ok(turns > 0);

  const stop = new AbortController();
  const reason = new Error('enough');
  let last = 0;
  const onProgress = ({ done }: CollectionProgress): void => {
    last = done;
    stop.abort(reason);
  };
  assert.is(await failureOf(mapped({ signal: stop.signal, onProgress })), reason);
  assert.ok(last < 500, `${last}`);
  assert.is(await failureOf(mapped({ signal: AbortSignal.abort(reason) })), reason);
  const thrown = new Error('a listener’s own');
  const failing = (): void => {
    throw thrown;
  };
  assert.is(await failureOf(mapped({ onProgress: failing })), thrown);
});

t('says what to install where umap-js is not, before a text is embedded', async () => {
  const loader = Module as unknown as { _resolveFilename: (request: string, ...rest: unknown[]) => string };
  const original = loader._resolveFilename;
  loader._resolveFilename = (request, ...rest) => {
    if (request === 'umap-js') throw Object.assign(new Error(`Cannot find module '${request}'`), { code: 'MODULE_NOT_FOUND' });
    return original.call(loader, request, ...rest);
  };
  try {
    assert.match(await codeOf(mapped()), /^INVALID_OPTION: .*umap-js.* Install it: npm i umap-js@1/);
    assert.is((await mapped({ method: 'pca' })).points.length, rows.length);
  } finally {
    loader._resolveFilename = original;
  }
});

t('pages, pictures and lines name the method, its seed and what a map does not show', async () => {
  const [umap, pca] = [await mapped({ seed: 5 }), await mapped({ method: 'pca' })];
  for (const format of ['html', 'svg', 'text'] as const) {
    const shown = [umap, pca].map((map) => [...render(map, format, { language: 'en' })].join(''));
    if (format === 'text') {
      assert.match(shown[0]!, /Method: UMAP; Seed: 5\n/);
      assert.match(shown[1]!, /Method: PCA; Seed: 1; Variance/);
    }
    assert.match(shown[0]!.replace(/<[^>]*>\s*/g, ' ').replace(/\s+/g, ' '), /In UMAP the size of a group means nothing/, format);
    assert.not.match(shown[1]!.replace(/<script.*/s, ''), 'In UMAP', format);
  }
  const { method, seed } = JSON.parse([...render(umap, 'json')].join('')) as TextMap;
  assert.equal([method, seed], ['umap', 5]);
});

t.run();
