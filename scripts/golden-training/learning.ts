import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SafetensorsFile } from '../../src/checkpoint/safetensors/safetensors.js';
import { schedule } from '../../src/training/arguments/schedules.js';
import { LearningModel } from '../../src/training/program/learning-model.js';
import { take } from '../../src/training/program/trained-weights.js';
import { optionsOf, packGolden, taskOfClass, type GoldenBatch } from './batches.js';
import { compareGradients, gradientNames, type Differences } from './compare-gradients.js';

/** What one comparison found. */
export interface Line {
  readonly name: string;
  readonly ok: boolean;
  readonly text: string;
}

interface Variant {
  readonly loss: string;
  readonly file: string;
  readonly value: number;
  readonly grad_norm: number;
  readonly checks: { readonly bfloat16_global: number; readonly bfloat16_worst: number };
}

interface Case {
  readonly class: string;
  readonly batch: GoldenBatch;
  readonly variants: readonly Variant[];
  readonly dropout?: { readonly seed: number; readonly micro_step: number };
}

interface Trajectory {
  readonly class: string;
  readonly arguments: Readonly<Record<string, number>> & { readonly lr_scheduler_type: 'linear' | 'cosine' };
  readonly log: { readonly loss: readonly number[]; readonly lr: readonly number[]; readonly grad_norm: readonly number[] };
  readonly steps: readonly (readonly GoldenBatch[])[];
}

export const limits = {
  fp32: { global: 4e-6, tensor: 5e-5, norm: 1e-5, loss: 1e-5 },
  // The loss is held to what the set allows a single operation: rounded operands move it by 1e-3 (PyTorch: up to 4e-2), whatever sums them.
  bf16: { norm: 4e-2, loss: 2e-2 },
};

export function readCase<T>(folder: string): T {
  return JSON.parse(readFileSync(join(folder, 'case.json'), 'utf8')) as T;
}

/** Gradients of each loss of a case. */
export async function* checkGradients(folder: string, precision: 'fp32' | 'bf16'): AsyncGenerator<Line> {
  const golden = readCase<Case>(folder);
  const task = taskOfClass(golden.class);
  for (const { loss, file, value, grad_norm, checks } of golden.variants) {
    const options = { ...optionsOf(golden.class, loss, golden.batch), seed: golden.dropout?.seed ?? 1, precision };
    const model = await LearningModel.load(folder, options);
    const expected = await SafetensorsFile.open(join(folder, file));
    try {
      const { batch, numItems } = packGolden(task, loss, golden.batch);
      const result = await model.session.accumulate([batch], { numItems, microStep: golden.dropout?.micro_step ?? 0 });
      const found = await compareGradients(
        gradientNames(expected),
        (name) => expected.readFloat32(`grad.${name}`),
        (name) => gradientOf(model, name),
      );
      const rounded = { ...limits.bf16, global: 2 * checks.bfloat16_global, tensor: 2 * checks.bfloat16_worst };
      yield judge(`${folder.split('/').at(-1)} ${loss}`, result.loss, value, found, precision === 'fp32' ? limits.fp32 : rounded);
      const { gradNorm } = await model.session.update({
        learningRate: 0,
        step: 1,
        beta1: 0.9,
        beta2: 0.999,
        epsilon: 1e-8,
        weightDecay: 0,
        maxGradNorm: 0,
      });
      const off = Math.abs(gradNorm - grad_norm) / grad_norm;
      if (off > limits[precision].norm) yield { name: `${loss} grad_norm`, ok: false, text: `${gradNorm}, expected ${grad_norm}` };
    } finally {
      await expected.close();
      model.dispose();
    }
  }
}

export function judge(
  name: string,
  loss: number,
  expected: number,
  { global, tensor, worst }: Differences,
  most: { readonly global: number; readonly tensor: number; readonly loss: number },
): Line {
  const off = Math.abs(loss - expected) / Math.max(1, Math.abs(expected));
  const ok = off <= most.loss && global <= most.global && tensor <= most.tensor;
  return {
    name,
    ok,
    text: `loss ${off.toExponential(1)} global ${ofLimit(global, most.global)} tensor ${ofLimit(tensor, most.tensor)} (${worst})`,
  };
}

export function ofLimit(found: number, most: number): string {
  return `${found.toExponential(1)} of ${most.toExponential(1)}`;
}

/** The gradient of a tensor by its name in transformers, or in peft for an adapter's. */
export async function gradientOf(model: LearningModel, name: string): Promise<Float32Array | undefined> {
  const plain = name
    .replace('base_model.model.', '')
    .replace('.base_layer.', '.')
    .replace('.default.', '.')
    .replace('.modules_to_save', '');
  const pieces = model.training.weights
    .filter(({ tiedTo }) => tiedTo === undefined)
    .flatMap((weight) => weight.parts.filter((part) => (part.rowsOf?.name ?? part.name) === plain).map((part) => ({ weight, part })));
  if (pieces.length === 0 || !pieces[0]!.weight.trainable) return undefined;
  // Rows that a program reads in another order are put together again.
  const gradient = new Float32Array(pieces.reduce((sum, { part }) => sum + part.rows * part.cols, 0));
  for (const { weight, part } of pieces) {
    const rows = await model.session.read(weight.id, 'gradient', part.rowBegin, part.rowBegin + part.rows);
    gradient.set(take(rows, weight.cols, part, part.rowBegin), (part.rowsOf?.begin ?? 0) * part.cols);
  }
  return gradient;
}

/** Twenty updates: losses, norms, learning rates, weights. */
export async function* checkTrajectory(folder: string): AsyncGenerator<Line> {
  const golden = readCase<Trajectory>(folder);
  const task = taskOfClass(golden.class);
  const given = golden.arguments;
  const model = await LearningModel.load(folder, optionsOf(golden.class, 'cross-entropy', golden.steps[0]![0]!));
  try {
    const shape = { learningRate: given['learning_rate']!, warmupSteps: given['warmup_steps']!, maxSteps: given['max_steps']! };
    const rate = schedule(given.lr_scheduler_type, shape);
    const worst = { loss: 0, lr: 0, norm: 0 };
    let microStep = 0;
    for (const [index, step] of golden.steps.entries()) {
      const packed = step.map((batch) => packGolden(task, 'cross-entropy', batch));
      const numItems = [packed.reduce((sum, each) => sum + each.numItems[0]!, 0)];
      const learningRate = rate(index);
      const { loss, gradNorm } = await model.session.step(
        packed.map(({ batch }) => batch),
        {
          numItems,
          microStep,
          learningRate,
          step: index + 1,
          beta1: given['adam_beta1']!,
          beta2: given['adam_beta2']!,
          epsilon: given['adam_epsilon']!,
          weightDecay: given['weight_decay']!,
          maxGradNorm: given['max_grad_norm']!,
        },
      );
      microStep += step.length;
      worst.loss = Math.max(worst.loss, Math.abs(loss - golden.log.loss[index]!));
      worst.lr = Math.max(worst.lr, Math.abs(learningRate - golden.log.lr[index]!));
      worst.norm = Math.max(worst.norm, Math.abs(gradNorm / golden.log.grad_norm[index]! - 1));
    }
    let weights = 0;
    const final = await SafetensorsFile.open(join(folder, 'final.safetensors'));
    for (const tensor of model.tensors) {
      if (tensor.name.endsWith('key.bias')) continue;
      const [actual, expected] = [await tensor.read('value'), await final.readFloat32(tensor.name)];
      expected.forEach((value, i) => (weights = Math.max(weights, Math.abs(value - actual[i]!))));
    }
    await final.close();
    const ok = worst.loss <= 1e-5 && worst.lr <= 1e-15 && worst.norm <= 1e-4 && weights <= 1e-5;
    yield {
      name: folder.split('/').at(-1)!,
      ok,
      text: `loss ${worst.loss.toExponential(1)} lr ${worst.lr.toExponential(1)} norm ${worst.norm.toExponential(1)} weights ${weights.toExponential(1)}`,
    };
  } finally {
    model.dispose();
  }
}
