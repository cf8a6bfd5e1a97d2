import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchModel, Engine, TimedRun } from './engine.js';
import { measure } from './measure.js';
import type { LoadRow } from './results.js';

/**
 * Loading and the first vector of a short text, against onnxruntime-node's session and first run without any tokenizer: each in its
 * engine's own process.
 */
export async function measureLoads(engines: readonly Engine[], model: BenchModel, threads: number, rounds: number): Promise<LoadRow> {
  const find = (name: string): Engine | undefined => engines.find((engine) => engine.name === name);
  const bertha = find('bertha fp32')!;
  const onnxRuntime = find('onnxruntime fp32');
  const first = (engine: Engine, cache?: string): TimedRun => Object.assign(() => engine.first!(model, threads, cache), pidOf(engine));
  const cache = mkdtempSync(join(tmpdir(), 'bertha-bench-'));
  const contestants = [
    { name: 'bertha fp32', run: first(bertha) },
    { name: 'bertha fp32, cached weights', run: first(bertha, cache) },
  ];
  if (onnxRuntime !== undefined && model.onnx['fp32'] !== undefined) {
    contestants.push({ name: 'onnxruntime fp32', run: first(onnxRuntime) });
  }
  await bertha.first!(model, threads, cache); // stores them
  const timings = await measure(contestants, { budgetMs: 0, minRounds: rounds, maxRounds: rounds }, threads > 1);
  rmSync(cache, { recursive: true });
  return { threads, timings: Object.fromEntries(timings) };
}

const pidOf = ({ pid }: Engine): { readonly pid?: number } => (pid === undefined ? {} : { pid });
