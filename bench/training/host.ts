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
  readonly task: 'text-classification' | 'fill-mask';
  readonly batches: readonly (readonly (readonly number[])[])[];
  readonly masked?: readonly (readonly (readonly number[])[])[];
}

const kMaskId = 103;

let model: LearningModel | undefined;
let steps = 0;

/** Texts whose tokens at `masked` are to be predicted. */
function collateMasked(texts: readonly (readonly number[])[], masked: readonly (readonly number[])[]): CollatedBatch {
  const cuSelected = new Int32Array(texts.length + 1);
  const sequences = texts.map((text, i) => {
    const ids = Int32Array.from(text);
    for (const position of masked[i]!) ids[position] = kMaskId;
    cuSelected[i + 1] = cuSelected[i]! + masked[i]!.length;
    return { ids };
  });
  const labels = texts.flatMap((text, i) => masked[i]!.map((position) => text[position]!));
  return {
    rows: texts.length,
    tokens: texts.flat().length,
    numItems: [labels.length],
    batch: { ...packBatch(sequences), selected: Int32Array.from(masked.flat()), cuSelected, labels: Int32Array.from(labels) },
    read: () => ({ predictions: [], labels: [] }),
  };
}

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
    const { directory, task, threads, precision, recompute } = request;
    model?.dispose();
    model = await LearningModel.load(directory, {
      task,
      ...(task === 'text-classification' && { labels: ['0', '1'] }),
      threads,
      precision,
      recompute,
      seed: 1,
    });
    return { name: 'Bertha', version };
  }
  const losses: number[] = [];
  const start = performance.now();
  for (const [i, texts] of request.batches.entries()) {
    const masked = request.masked?.[i];
    const batch = masked === undefined ? collate(texts) : collateMasked(texts, masked);
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
