// Bertha's side of `npm run bench:training`: the requests of bench/python/training.py, answered likewise.
import { createInterface } from 'node:readline';
import { LearningModel } from '../../src/training/program/learning-model.js';
import type { CollatedBatch } from '../../src/training/collators/collator.js';
import { packBatch } from '../../src/runtime/batch.js';
import { version } from '../../src/version.js';

interface Request {
  readonly do: 'load' | 'step' | 'memory';
  readonly directory: string;
  readonly precision: 'fp32' | 'bf16';
  readonly threads: number;
  readonly recompute: boolean;
  readonly batches: readonly (readonly (readonly number[])[])[];
}

let model: LearningModel | undefined;
let steps = 0;

function collate(texts: readonly (readonly number[])[]): CollatedBatch {
  const sequences = texts.map((ids) => ({ ids: Int32Array.from(ids) }));
  return {
    rows: texts.length,
    tokens: texts.reduce((sum, { length }) => sum + length, 0),
    numItems: [texts.length],
    batch: { ...packBatch(sequences), labels: Int32Array.from(texts, (_, i) => i % 2) },
    read: () => ({ predictions: [], labels: [] }),
  };
}

async function answer(request: Request): Promise<object> {
  if (request.do === 'memory') {
    const { weightBytes, workspaceBytes } = model!.memoryUsage();
    return { peakBytes: process.resourceUsage().maxRSS * 1024, weightBytes, workspaceBytes };
  }
  if (request.do === 'load') {
    const { directory, threads, precision, recompute } = request;
    model?.dispose();
    model = await LearningModel.load(directory, {
      task: 'text-classification',
      labels: ['0', '1'],
      threads,
      precision,
      recompute,
      seed: 1,
    });
    return { name: 'Bertha', version };
  }
  const losses: number[] = [];
  const start = performance.now();
  for (const texts of request.batches) {
    const batch = collate(texts);
    const { loss } = await model!.step([batch], {
      learningRate: 1e-6,
      step: ++steps,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0.01,
      maxGradNorm: 1,
      numItems: batch.numItems,
      microStep: steps,
    });
    losses.push(loss);
  }
  return { seconds: (performance.now() - start) / 1000, losses };
}

for await (const line of createInterface({ input: process.stdin })) {
  const reply = await answer(JSON.parse(line) as Request).catch((error: unknown) => ({ error: String(error) }));
  process.stdout.write(`${JSON.stringify(reply)}\n`);
}
