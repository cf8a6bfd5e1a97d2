import { Worker } from 'node:worker_threads';
import { unexpected } from '../../expected.js';
import { KNeighborsClassifier } from '../../learn/neighbors/k-neighbors-classifier.js';
import { isCodedError } from '../../realms.js';
import { installedFile } from '../../runtime/package-files.js';

const kPeer = 'umap-js';
/** Fewer points have no neighbourhoods to draw. */
export const kUmapPoints = 4;
const kNeighbors = 15;
/** Times that progress is told. */
const kReports = 50;

/**
 * What the thread runs, as text: a bundle has no file for it. Random numbers are mulberry32's. The rows themselves stay here: with its
 * neighbours given, umap-js asks only how many there are.
 */
const source = `'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const { file, seed, indices, distances, epochs, each } = workerData;
const { UMAP } = require(file);
let state = seed;
const random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
};
const umap = new UMAP({ nNeighbors: indices[0].length, nEpochs: epochs, random });
umap.setPrecomputedKNN(indices, distances);
umap.initializeFit(indices.map(() => []));
for (let epoch = 1; epoch <= epochs; epoch++) {
  umap.step();
  if (epoch % each === 0 || epoch === epochs) parentPort.postMessage({ epoch });
}
parentPort.postMessage({ points: Float64Array.from(umap.getEmbedding().flat()) });
`;

type Message = { readonly epoch: number } | { readonly points: Float64Array };

/** Where umap-js is installed. Errors: INVALID_OPTION, with what to type, where it is not. */
export function umapFile(): string {
  const file = installedFile(kPeer);
  if (file !== undefined) return file;
  throw unexpected('INVALID_OPTION', `the package ${kPeer} for method 'umap' of mapTexts`, 'none', {
    hint: `Install it: npm i ${kPeer}@1`,
  });
}

/** Rounds over all pairs of neighbours, as umap-js takes for so many points. */
export function umapEpochs(count: number): number {
  if (count <= 2500) return 500;
  if (count <= 5000) return 400;
  return count <= 7500 ? 300 : 200;
}

/**
 * Points of the plane, [count, 2], by umap-js at `file`, in a thread of its own. Neighbours are exact, by the length of the difference. Equal
 * seeds give equal bytes. Errors: OUT_OF_MEMORY, the signal's reason.
 */
export async function umapLayout(
  vectors: readonly Float32Array[],
  file: string,
  seed: number,
  onEpoch: (epoch: number) => void,
  signal: AbortSignal | undefined,
): Promise<Float64Array> {
  const epochs = umapEpochs(vectors.length);
  const neighbors = await neighborsOf(vectors, signal);
  signal?.throwIfAborted();
  const workerData = { file, seed, ...neighbors, epochs, each: Math.ceil(epochs / kReports) };
  const worker = new Worker(source, { eval: true, workerData, execArgv: [] });
  const settled = new AbortController();
  try {
    return await new Promise((resolve, reject) => {
      signal?.addEventListener('abort', () => reject(signal.reason as Error), { signal: settled.signal });
      worker.on('message', (message: Message) => {
        try {
          if ('points' in message) resolve(message.points);
          else onEpoch(message.epoch);
        } catch (error) {
          reject(error as Error);
        }
      });
      worker.on('error', (error) => reject(ownError(error, vectors.length)));
      worker.on('exit', (code) => reject(unexpected('INTERNAL', `points from the thread of ${kPeer}`, `its end, code ${code}`)));
    });
  } finally {
    settled.abort();
    await worker.terminate();
  }
}

function ownError(error: Error, count: number): Error {
  if (!isCodedError(error) || error.code !== 'ERR_WORKER_OUT_OF_MEMORY') return error;
  return unexpected('OUT_OF_MEMORY', `memory for a map of ${count} points by ${kPeer}`, 'none', {
    hint: 'Lower maxPoints, or raise --max-old-space-size.',
    cause: error,
  });
}

/** Of each row itself and its nearest others, as umap-js reads them. */
async function neighborsOf(
  vectors: readonly Float32Array[],
  signal: AbortSignal | undefined,
): Promise<{ readonly indices: number[][]; readonly distances: number[][] }> {
  const nNeighbors = Math.min(kNeighbors, vectors.length - 1);
  const search = new KNeighborsClassifier({ nNeighbors, metric: 'euclidean' });
  await search.fit(
    vectors,
    vectors.map(() => 0),
    { signal },
  );
  const found = await search.kneighbors(vectors, nNeighbors, { signal });
  const lists = found.map(({ indices, distances }, own) => {
    const others = Array.from(indices, (index, i) => ({ index, distance: distances[i]! })).filter(({ index }) => index !== own);
    return [{ index: own, distance: 0 }, ...others.slice(0, nNeighbors - 1)];
  });
  return {
    indices: lists.map((list) => list.map(({ index }) => index)),
    distances: lists.map((list) => list.map(({ distance }) => distance)),
  };
}
