import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SafetensorsFile } from '../../src/checkpoint/safetensors/safetensors.js';
import { packBatch } from '../../src/runtime/batch.js';
import { LearningModel } from '../../src/training/program/learning-model.js';
import type { Packed } from './batches.js';
import { compareGradients } from './compare-gradients.js';
import type { Line } from './learning.js';

/** A source, and what its target's words are to be. */
interface Pair {
  readonly input_ids: readonly number[];
  readonly labels: readonly number[];
}

interface WritingCase {
  readonly case: string;
  readonly model: string;
  /** Absent: 'seq2seq'. */
  readonly task?: 'seq2seq' | 'causal-lm';
  readonly label_smoothing: number;
  readonly decoder_start_token_id: number;
  readonly pad_token_id: number;
  readonly items: readonly Pair[];
  readonly num_items: number;
  readonly loss: number;
  readonly grad_norm: number;
  readonly bfloat16_global?: number;
  readonly bfloat16_worst?: number;
}

/** Pairs end to end; a decoder reads its start, then the labels but for the last, and pad where a label does not count. */
function packPairs({ items, decoder_start_token_id: start, pad_token_id: pad }: WritingCase): Packed {
  const { inputIds: targetIds, cuSeqlens: cuTarget } = packBatch(
    items.map(({ labels }) => ({ ids: Int32Array.from([start, ...labels.slice(0, -1).map((id) => (id < 0 ? pad : id))]) })),
  );
  const { batch, numItems } = packTexts({ items });
  return { batch: { ...batch, targetIds, cuTarget }, numItems };
}

/** Texts end to end; labels are the next words. */
function packTexts({ items }: Pick<WritingCase, 'items'>): Packed {
  const labels = Int32Array.from(items.flatMap((each) => each.labels));
  const batch = packBatch(items.map(({ input_ids: ids }) => ({ ids: Int32Array.from(ids) })));
  return { batch: { ...batch, labels }, numItems: [labels.filter((label) => label >= 0).length] };
}

/** How far a comparison may be off, as golden-training's README has it. */
const kLimits = {
  fp32: { loss: 1e-5, norm: 1e-5, global: 4e-6, tensor: 5e-5 },
  bf16: { loss: 2e-2, norm: 4e-2, global: Infinity, tensor: Infinity },
};

/** What rounding costs depends on the case: twice what PyTorch's autocast is off by, where the case has that (`make_gradients.py --rounding` tells it of others). */
function limitsOf({ bfloat16_global: global, bfloat16_worst: tensor }: WritingCase, precision: 'fp32' | 'bf16'): typeof kLimits.fp32 {
  if (precision === 'fp32' || global === undefined || tensor === undefined) return kLimits[precision];
  return { ...kLimits.bf16, global: 2 * global, tensor: 2 * tensor };
}

/** An update that changes nothing, after which AdamW's first moment is the gradient. */
const kKeepGradient = { learningRate: 0, step: 1, beta1: 0, beta2: 0, epsilon: 1, weightDecay: 0, maxGradNorm: 0 };

/** Gradients of models that write: each case of cases.json in a folder in the layout of golden-generation's `gradients`. */
export async function* checkWriting(folder: string, precision: 'fp32' | 'bf16'): AsyncGenerator<Line> {
  const { cases } = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as { readonly cases: readonly WritingCase[] };
  for (const each of cases) {
    const limits = limitsOf(each, precision);
    const task = each.task ?? 'seq2seq';
    const options = { task, labelSmoothing: each.label_smoothing, dropout: false, seed: 1, precision } as const;
    const model = await LearningModel.load(join(folder, each.model), options);
    const expected = await SafetensorsFile.open(join(folder, `${each.case}.safetensors`));
    try {
      const { batch, numItems } = task === 'seq2seq' ? packPairs(each) : packTexts(each);
      if (numItems[0] !== each.num_items) throw new Error(`Expected ${each.num_items} labels that count but received ${numItems[0]}.`);
      const { loss, gradNorm } = await model.session.step([batch], { ...kKeepGradient, numItems, microStep: 0 });
      const tensors = new Map(model.tensors.map((tensor) => [tensor.name, tensor]));
      const { global, tensor, worst } = await compareGradients(
        [...expected.tensors.keys()],
        (name) => expected.readFloat32(name),
        async (name) => tensors.get(name)?.read('expAvg'),
      );
      const off = {
        loss: Math.abs(loss - each.loss) / Math.max(1, each.loss),
        norm: Math.abs(gradNorm - each.grad_norm) / each.grad_norm,
        global,
        tensor,
      };
      const names = Object.keys(off) as (keyof typeof off)[];
      const text = names.map((name) => `${name} ${off[name].toExponential(1)} of ${limits[name].toExponential(1)}`).join(', ');
      yield { name: each.case, ok: names.every((name) => off[name] <= limits[name]), text: `${text} (${worst})` };
    } finally {
      await expected.close();
      model.dispose();
    }
  }
}
