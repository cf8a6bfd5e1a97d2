import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { BerthaError } from '../../src/errors.js';
import { writeSafetensors } from '../../src/checkpoint/safetensors/safetensors.js';
import type { CollatedBatch, Collator, Example } from '../../src/training/collators/collator.js';
import type {
  EvaluatedBatch,
  StepResult,
  StepSettings,
  TrainableModel,
  TrainedTensor,
} from '../../src/training/trainer/trainable-model.js';

/** A row of the fake: x, and what the model should say of it; NaN: no label. */
export interface FakeRow {
  readonly x: number;
  readonly y: number;
}

interface FakeExample extends Example {
  readonly row: FakeRow;
}

interface FakeBatch extends CollatedBatch {
  readonly examples: readonly FakeExample[];
}

/** `count` rows of different lengths. */
export function fakeRows(count: number, slope = 2): FakeRow[] {
  return Array.from({ length: count }, (_, index) => ({ x: ((index * 7) % 11) / 5 - 1, y: slope * (((index * 7) % 11) / 5 - 1) + 0.5 }));
}

/** Reads rows of `FakeRow`; a row with x above 100 gives nothing to learn from. */
export const fakeCollator: Collator<FakeRow, FakeExample> & { collated: FakeBatch[] } = {
  collated: [],
  *encode(row, index) {
    yield;
    if (row.x > 100) return undefined;
    const tokens = 1 + (index % 5);
    return { index, tokens, sequences: [{ ids: new Int32Array(tokens).fill(index) }], row };
  },
  collate(examples, { epoch }) {
    const labelled = examples.filter(({ row }) => !Number.isNaN(row.y));
    const batch: FakeBatch = {
      rows: examples.length,
      tokens: examples.reduce((sum, { tokens }) => sum + tokens, 0),
      numItems: [labelled.length],
      batch: { inputIds: new Int32Array(0), tokenTypeIds: new Int32Array(0), cuSeqlens: new Int32Array(1) },
      read: (logits) => ({ predictions: [...logits], labels: examples.map(({ row }) => row.y) }),
      examples,
    };
    this.collated.push(batch);
    void epoch;
    return batch;
  },
  warn() {},
};

/** y = a x + b learned by AdamW in single precision, with noise that depends on (microStep, row) as dropout's masks do. */
export class FakeTrainable implements TrainableModel {
  readonly weightsFile = 'model.safetensors';
  readonly identity: TrainableModel['identity'];
  readonly value = new Float32Array([1, 0]);
  readonly expAvg = new Float32Array(2);
  readonly expAvgSq = new Float32Array(2);
  readonly tensors: readonly TrainedTensor[];
  readonly steps: StepSettings[] = [];
  failAt: number | undefined;
  onStep: (() => void | Promise<void>) | undefined;

  constructor(name = 'fake') {
    this.identity = { name };
    const tensor = (name: string, index: number): TrainedTensor => ({
      name,
      shape: [1],
      read: async (kind) => this[kind].slice(index, index + 1),
      write: async (kind, values) => void this[kind].set(values, index),
    });
    this.tensors = [tensor('slope', 0), tensor('offset', 1)];
  }

  get model(): never {
    throw new Error('The fake has no model.');
  }

  async step(batches: readonly CollatedBatch[], settings: StepSettings): Promise<StepResult> {
    this.steps.push(settings);
    await this.onStep?.();
    if (settings.signal?.aborted === true) throw new BerthaError('ABORTED', 'stopped');
    if (this.failAt === this.steps.length) throw new BerthaError('NON_FINITE', 'Expected a finite loss but received NaN.');
    const gradient = [0, 0];
    let loss = 0;
    for (const [index, batch] of batches.entries()) {
      for (const { row, index: place } of (batch as FakeBatch).examples) {
        if (Number.isNaN(row.y)) continue;
        const noise = 1 + 0.1 * Math.sin(1000 * (settings.microStep + index) + place);
        const error = this.value[0]! * row.x * noise + this.value[1]! - row.y;
        loss += error ** 2 / settings.numItems[0]!;
        gradient[0]! += (2 * error * row.x * noise) / settings.numItems[0]!;
        gradient[1]! += (2 * error) / settings.numItems[0]!;
      }
    }
    const gradNorm = Math.hypot(...gradient);
    const scale = settings.maxGradNorm > 0 ? Math.min(1, settings.maxGradNorm / (gradNorm + 1e-6)) : 1;
    const { learningRate, beta1, beta2, step } = settings;
    for (const [index, each] of gradient.entries()) {
      const g = each * scale;
      this.value[index]! -= learningRate * settings.weightDecay * this.value[index]!;
      this.expAvg[index]! += (1 - beta1) * (g - this.expAvg[index]!);
      this.expAvgSq[index] = beta2 * this.expAvgSq[index]! + (1 - beta2) * g * g;
      const corrected = Math.sqrt(this.expAvgSq[index]! / (1 - beta2 ** step));
      this.value[index]! -= ((learningRate / (1 - beta1 ** step)) * this.expAvg[index]!) / (corrected + settings.epsilon);
    }
    return { loss, gradNorm };
  }

  async evaluate(batch: CollatedBatch): Promise<EvaluatedBatch> {
    const { examples } = batch as FakeBatch;
    const logits = Float32Array.from(examples, ({ row }) => this.value[0]! * row.x + this.value[1]!);
    const losses = examples.map(({ row }, index) => (Number.isNaN(row.y) ? 0 : (logits[index]! - row.y) ** 2));
    return { losses: [losses.reduce((sum, each) => sum + each, 0)], numItems: batch.numItems, ...batch.read(logits) };
  }

  async save(directory: string): Promise<void> {
    const tensors = this.tensors.map(({ name }, index) => ({
      name,
      dtype: 'F32' as const,
      shape: [1],
      bytes: new Uint8Array(this.value.slice(index, index + 1).buffer),
    }));
    await writeSafetensors(join(directory, this.weightsFile), tensors);
    await writeFile(join(directory, 'config.json'), JSON.stringify({ model_type: 'fake', ...this.identity }));
  }

  snapshot(): never {
    throw new Error('The fake has no model.');
  }

  memoryUsage() {
    return { weightBytes: 24, workspaceBytes: 0 };
  }

  dispose(): void {}
}

/** The code that a promise is rejected with; undefined if it is not. */
export async function rejectionCode(promise: Promise<unknown>): Promise<string | undefined> {
  return promise.then(
    () => undefined,
    (error: { code?: string }) => error.code,
  );
}
