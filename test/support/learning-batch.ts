import type { NativeMicroBatch, NativeTrainingProgram, NativeUpdate, RowDomain } from '../../src/runtime/native.js';
import type { LearningModel } from '../../src/training/program/learning-model.js';
import { Random } from './random.js';

/** A micro-batch of `lengths.length` texts with random numbers in every input that the program declares; each selects two rows, and its target is as long as the text that stands as far from the end. */
export function learningBatch({ domains, inputs }: NativeTrainingProgram, lengths: readonly number[], seed = 1): NativeMicroBatch {
  const random = new Random(seed);
  const below = (limit: number): number => random.integer(0, limit - 1);
  const sizes: Partial<Record<RowDomain, readonly number[]>> = {
    tokens: lengths,
    sequences: lengths.map(() => 1),
    selected: lengths.map(() => 2),
    target: lengths.toReversed(),
  };
  const offsetsOf = (each: readonly number[]): Int32Array => {
    const offsets = new Int32Array(each.length + 1);
    each.forEach((size, i) => (offsets[i + 1] = offsets[i]! + size));
    return offsets;
  };
  const batch: Record<string, Int32Array | Float32Array> = {};
  for (const { name, offsets } of domains) if (offsets !== undefined) batch[offsets] = offsetsOf(sizes[name] ?? []);
  for (const { name, rows, width = 1, limit = 0, dtype, pointsInto } of inputs) {
    if (name === 'targets' || name === 'poolSkip') continue;
    const count = (sizes[rows] ?? []).reduce((sum, size) => sum + size, 0) * width;
    if (dtype === 'float32') batch[name] = Float32Array.from({ length: count }, () => below(2));
    else if (pointsInto !== undefined || name === 'spans')
      batch[name] = Int32Array.from({ length: count }, (_, i) => below(lengths[i >> 1]!));
    else batch[name] = Int32Array.from({ length: count }, () => below(limit));
  }
  return batch as unknown as NativeMicroBatch;
}

/** Labelled texts of 1 to 24 tokens in two classes; 200 of them are more than one chunk of 2,048 tokens. */
export function labelledBatch(sequences: number): NativeMicroBatch {
  const lengths = Array.from({ length: sequences }, (_, i) => 1 + ((i * 17) % 24));
  const cuSeqlens = Int32Array.from([0, ...lengths]);
  for (let i = 1; i <= sequences; i++) cuSeqlens[i]! += cuSeqlens[i - 1]!;
  const tokens = cuSeqlens[sequences]!;
  return {
    cuSeqlens,
    inputIds: Int32Array.from({ length: tokens }, (_, i) => 5 + ((i * 7) % 20)),
    tokenTypeIds: new Int32Array(tokens),
    labels: Int32Array.from({ length: sequences }, (_, i) => i % 2),
  };
}

/** Settings of one update. */
export const learningUpdate = (step: number, more: Partial<NativeUpdate> = {}): NativeUpdate => ({
  learningRate: 1e-3,
  step,
  beta1: 0.9,
  beta2: 0.999,
  epsilon: 1e-8,
  weightDecay: 0.01,
  maxGradNorm: 1,
  ...more,
});

/** All that a model has learned, row-major: values, and AdamW's two moments where they are. */
export async function learnedState({ session, training }: LearningModel): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const { id, rows, trainable } of training.weights)
    for (const kind of trainable ? (['value', 'expAvg', 'expAvgSq'] as const) : (['value'] as const)) {
      const values = await session.read(id, kind, 0, rows);
      parts.push(Buffer.from(values.buffer, values.byteOffset, values.byteLength));
    }
  return Buffer.concat(parts);
}
