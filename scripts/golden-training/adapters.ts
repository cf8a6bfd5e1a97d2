import { join } from 'node:path';
import { SafetensorsFile } from '../../src/checkpoint/safetensors/safetensors.js';
import { mergeBranches } from '../../src/training/lora/merge-branches.js';
import { LearningModel } from '../../src/training/program/learning-model.js';
import { optionsOf, packGolden, type GoldenBatch } from './batches.js';
import { compareGradients, gradientNames, type Differences } from './compare-gradients.js';
import { gradientOf, judge, limits, ofLimit, readCase, type Line } from './learning.js';

interface LoraCase {
  readonly class: string;
  readonly batch: GoldenBatch;
  readonly value: number;
  readonly lora: {
    readonly r: number;
    readonly lora_alpha: number;
    readonly target_modules: readonly string[];
    readonly use_rslora?: boolean;
    readonly bias?: 'lora_only';
  };
}

/** What a model computes of a batch. */
interface Computed {
  readonly loss: number;
  readonly logits: Float32Array;
  readonly gradients: ReadonlyMap<string, Float32Array | undefined>;
}

const kDraws = 4;
/**
 * What rounding may move, beside what one part in 2^23 of the adapter's numbers moves. Of thirteen sets Bertha reaches 1.3 times that, PyTorch in float32 1.7 (on
 * its hardest, 1.9e-4 of the gradient).
 */
const kShare = 3;

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
  const names = gradientNames(expected);
  const { batch, numItems } = packGolden('text-classification', 'cross-entropy', golden.batch);
  const compute = async (change: (value: number) => number): Promise<Computed> => {
    for (const tensor of model.tensors) await tensor.write('value', (await adapter.readFloat32(tensor.name)).map(change));
    const { loss } = await model.session.accumulate([batch], { numItems, microStep: 0 });
    const gradients = new Map<string, Float32Array | undefined>();
    for (const name of names) gradients.set(name, await gradientOf(model, name));
    model.session.zeroGradients();
    const [logits] = await model.model.session.run(batch, [{ id: model.training.live.heads.sequenceClassification!.id }]);
    return { loss, logits: logits!, gradients };
  };
  const compare = (from: (name: string) => Promise<Float32Array>, { gradients }: Computed): Promise<Differences> =>
    compareGradients(names, from, (name) => Promise.resolve(gradients.get(name)));
  try {
    const limit = { ...limits.fp32, logits: 1e-5 };
    // Random branches of every layer make attention scores of hundreds: what rounding once does to the results depends on the draw, so it is measured.
    const sign = signs();
    const nudge = (value: number): number => value * (1 + sign() * 2 ** -23);
    const exact = await compute((value) => value);
    for (let draw = 0; draw < kDraws; draw++) {
      const nudged = await compute(nudge);
      const { global, tensor } = await compare((name) => Promise.resolve(exact.gradients.get(name)!), nudged);
      limit.global = Math.max(limit.global, kShare * global);
      limit.tensor = Math.max(limit.tensor, kShare * tensor);
      limit.loss = Math.max(limit.loss, (kShare * Math.abs(nudged.loss - exact.loss)) / Math.max(1, exact.loss));
      limit.logits = Math.max(limit.logits, kShare * farthest(nudged.logits, exact.logits));
    }
    await compute((value) => value);
    const name = folder.split('/').at(-1)!;
    yield within(`${name} logits`, farthest(exact.logits, await expected.readFloat32('logits')), limit.logits);
    const { lora, adapted } = model.training;
    for (const [matrix, values] of await mergeBranches(model.training, lora!, adapted, model.session)) {
      const { module, rowsOf, cols } = adapted.find((each) => each.matrix === matrix)!;
      const whole = await expected.readFloat32(`merged.${module}.weight`);
      const begin = (rowsOf?.begin ?? 0) * cols;
      const line = within(`merged ${matrix}`, farthest(values, whole.subarray(begin, begin + values.length)), 1e-5);
      if (!line.ok) yield line;
    }
    yield judge(name, exact.loss, golden.value, await compare((each) => expected.readFloat32(`grad.${each}`), exact), limit);
  } finally {
    await adapter.close();
    await expected.close();
    model.dispose();
  }
}

/** The largest difference, of max(1, |expected|). */
function farthest(actual: Float32Array, expected: Float32Array): number {
  return expected.reduce((worst, value, i) => Math.max(worst, Math.abs(value - actual[i]!) / Math.max(1, Math.abs(value))), 0);
}

function within(name: string, difference: number, most: number): Line {
  return { name, ok: difference <= most, text: ofLimit(difference, most) };
}

/** Repeatable random signs. */
function signs(): () => number {
  let state = 0x9e3779b9;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state >>> 31 === 0 ? 1 : -1;
  };
}
