import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SafetensorsFile } from '../../src/checkpoint/safetensors/safetensors.js';
import { schedule } from '../../src/training/arguments/schedules.js';
import { mergeBranches } from '../../src/training/lora/merge-branches.js';
import { LearningModel } from '../../src/training/program/learning-model.js';
import { take } from '../../src/training/program/trained-weights.js';
import { optionsOf, packGolden, taskOfClass, type GoldenBatch } from './batches.js';
import { compareGradients, type Differences } from './compare-gradients.js';

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

interface LoraCase {
  readonly class: string;
  readonly batch: GoldenBatch;
  readonly value: number;
  readonly grad_norm: number;
  readonly lora: {
    readonly r: number;
    readonly lora_alpha: number;
    readonly target_modules: readonly string[];
    readonly use_rslora?: boolean;
    readonly bias?: 'lora_only';
  };
}

interface Trajectory {
  readonly class: string;
  readonly arguments: Readonly<Record<string, number>> & { readonly lr_scheduler_type: 'linear' | 'cosine' };
  readonly log: { readonly loss: readonly number[]; readonly lr: readonly number[]; readonly grad_norm: readonly number[] };
  readonly steps: readonly (readonly GoldenBatch[])[];
}

const limits = {
  fp32: { global: 4e-6, tensor: 5e-5, norm: 1e-5, loss: 1e-5 },
  // The reference set has no row for adapters. Those of rslora, random branches of every layer times alpha / sqrt(r), make attention scores of hundreds: where
  // all else is float64, rounding q and k once to float32 moves the gradient by up to 3.3e-5 (of twelve draws; query-value: 6.5e-7), and PyTorch in float32 is
  // off by 7.4e-5 and 8.6e-5. Three times that, as 5e-5 is three times PyTorch's worst tensor of the other cases.
  rslora: { global: 2.5e-4, tensor: 2.5e-4, loss: 1e-5 },
  // The loss is held to what the set allows a single operation: rounded operands move it by 1e-3 (PyTorch: up to 4e-2), whatever sums them.
  bf16: { norm: 4e-2, loss: 2e-2 },
};

function readCase<T>(folder: string): T {
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
      const found = await compareGradients(expected, (name) => gradientOf(model, name));
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

function judge(
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

function ofLimit(found: number, most: number): string {
  return `${found.toExponential(1)} of ${most.toExponential(1)}`;
}

/** The gradient of a tensor by its name in transformers, or in peft for an adapter's. */
async function gradientOf(model: LearningModel, name: string): Promise<Float32Array | undefined> {
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

/** Whether all numbers are within 1e-5 of max(1, |expected|). */
function within(name: string, actual: Float32Array, expected: Float32Array): Line {
  const most = expected.reduce((worst, value, i) => Math.max(worst, Math.abs(value - actual[i]!) / Math.max(1, Math.abs(value))), 0);
  return { name, ok: most <= 1e-5, text: most.toExponential(1) };
}

/** An adapter of peft: its logits, gradients and merged matrices. */
export async function* checkLora(folder: string): AsyncGenerator<Line> {
  const golden = readCase<LoraCase>(folder);
  const { r, lora_alpha: loraAlpha, target_modules: targetModules, use_rslora: useRslora, bias } = golden.lora;
  const model = await LearningModel.load(folder, {
    ...optionsOf(golden.class, 'cross-entropy', golden.batch),
    lora: { r, loraAlpha, targetModules, useRslora, bias },
  });
  const adapter = await SafetensorsFile.open(join(folder, 'adapter', 'adapter_model.safetensors'));
  const expected = await SafetensorsFile.open(join(folder, 'expected.safetensors'));
  try {
    for (const tensor of model.tensors) await tensor.write('value', await adapter.readFloat32(tensor.name));
    const { batch, numItems } = packGolden('text-classification', 'cross-entropy', golden.batch);
    const result = await model.session.accumulate([batch], { numItems, microStep: 0 });
    const found = await compareGradients(expected, (name) => gradientOf(model, name));
    const [logits] = await model.model.session.run(batch, [{ id: model.training.live.heads.sequenceClassification!.id }]);
    yield within(`${folder.split('/').at(-1)} logits`, logits!, await expected.readFloat32('logits'));
    const { lora, adapted } = model.training;
    for (const [name, values] of await mergeBranches(model.training, lora!, adapted, model.session)) {
      const { module, rowsOf, cols } = adapted.find(({ matrix }) => matrix === name)!;
      const whole = await expected.readFloat32(`merged.${module}.weight`);
      const begin = (rowsOf?.begin ?? 0) * cols;
      const line = within(`merged ${name}`, values, whole.subarray(begin, begin + values.length));
      if (!line.ok) yield line;
    }
    yield judge(folder.split('/').at(-1)!, result.loss, golden.value, found, useRslora ? limits.rslora : limits.fp32);
  } finally {
    await adapter.close();
    await expected.close();
    model.dispose();
  }
}
