import { Worker } from 'node:worker_threads';
import { inSlices } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import { KNeighborsClassifier, type Neighbors } from '../../learn/neighbors/k-neighbors-classifier.js';
import { Budget } from '../../runtime/event-loop-budget.js';
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
 * neighbours given, umap-js asks only how many there are. Neighbours come as they are in memory, [points, each]: lists would be copied by the event loop.
 */
const source = `'use strict';
const { parentPort, workerData } = require('node:worker_threads');
const { file, seed, indices, distances, neighbors, epochs, each } = workerData;
const { UMAP } = require(file);
const lists = (flat) => Array.from({ length: flat.length / neighbors }, (_, i) => Array.from(flat.subarray(i * neighbors, (i + 1) * neighbors)));
const nearest = lists(indices);
let state = seed;
const random = () => {
  state = (state + 0x6d2b79f5) | 0;
  let mixed = Math.imul(state ^ (state >>> 15), state | 1);
  mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
  return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
};
const umap = new UMAP({ nNeighbors: neighbors, nEpochs: epochs, random });
umap.setPrecomputedKNN(nearest, lists(distances));
umap.initializeFit(nearest.map(() => []));
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
  const { indices, distances } = await neighborsOf(vectors, signal);
  signal?.throwIfAborted();
  const neighbors = indices.length / vectors.length;
  const workerData = { file, seed, indices, distances, neighbors, epochs, each: Math.ceil(epochs / kReports) };
  const transferList = [indices.buffer, distances.buffer];
  const worker = new Worker(source, { eval: true, workerData, transferList, execArgv: [] });
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

interface Neighborhoods {
  /** [rows, neighbours] */
  readonly indices: Int32Array<ArrayBuffer>;
  readonly distances: Float64Array<ArrayBuffer>;
}

/** Of each row itself and its nearest others, as umap-js reads them. */
async function neighborsOf(vectors: readonly Float32Array[], signal: AbortSignal | undefined): Promise<Neighborhoods> {
  const nNeighbors = Math.min(kNeighbors, vectors.length - 1);
  const search = new KNeighborsClassifier({ nNeighbors, metric: 'euclidean' });
  await search.fit(
    vectors,
    vectors.map(() => 0),
    { signal },
  );
  const found = await search.kneighbors(vectors, nNeighbors, { signal });
  return inSlices(neighborSlices(found, nNeighbors), new Budget(signal, 'bulk'));
}

/** Each row before its nearest others, `each` in all. */
function* neighborSlices(found: readonly Neighbors[], each: number): Generator<void, Neighborhoods> {
  const indices = new Int32Array(found.length * each);
  const distances = new Float64Array(found.length * each);
  for (const [own, near] of found.entries()) {
    let place = own * each;
    indices[place++] = own;
    for (let i = 0; i < near.indices.length && place < (own + 1) * each; i++) {
      if (near.indices[i] === own) continue;
      indices[place] = near.indices[i]!;
      distances[place++] = near.distances[i]!;
    }
    yield;
  }
  return { indices, distances };
}
