import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadEmbedder } from '../src/index.js';
import type { BenchModel } from './engine.js';
import { createOnnxSession, padIds } from './engines/onnxruntime.js';
import { measure } from './measure.js';
import type { LoadRow } from './results.js';

/** Loading and the first vector of a short text, against onnxruntime-node's session and first run without any tokenizer. */
export async function measureLoads(model: BenchModel, threads: number, rounds: number): Promise<LoadRow> {
  const ids = Int32Array.of(101, 7592, 2088, 102);
  const bertha = async (weightCache: string | false): Promise<number> => {
    const start = performance.now();
    const embedder = await loadEmbedder(model.directory, { threads, weightCache });
    await embedder.embed('hello world');
    const ms = performance.now() - start;
    embedder.dispose();
    return ms;
  };
  const onnxRuntime = async (): Promise<number> => {
    const start = performance.now();
    const session = await createOnnxSession(model.onnx['fp32']!, threads);
    await session.run(padIds([ids]).feeds);
    const ms = performance.now() - start;
    await session.release();
    return ms;
  };
  const cache = mkdtempSync(join(tmpdir(), 'bertha-bench-'));
  const contestants = [
    { name: 'bertha fp32', run: () => bertha(false) },
    { name: 'bertha fp32, cached weights', run: () => bertha(cache) },
  ];
  if (model.onnx['fp32'] !== undefined) contestants.push({ name: 'onnxruntime fp32', run: onnxRuntime });
  await bertha(cache); // stores them
  const timings = await measure(contestants, { budgetMs: 0, minRounds: rounds, maxRounds: rounds }, threads > 1);
  rmSync(cache, { recursive: true });
  return { threads, timings: Object.fromEntries(timings) };
}
