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
  readonly label_smoothing: number;
  readonly decoder_start_token_id: number;
  readonly pad_token_id: number;
  readonly items: readonly Pair[];
  readonly num_items: number;
  readonly loss: number;
  readonly grad_norm: number;
}

/** Pairs end to end; a decoder reads its start, then the labels but for the last, and pad where a label does not count. */
export function packPairs(pairs: readonly Pair[], { start, pad }: { readonly start: number; readonly pad: number }): Packed {
  const source = packBatch(pairs.map(({ input_ids: ids }) => ({ ids: Int32Array.from(ids) })));
  const targets = pairs.map(({ labels }) => ({ ids: Int32Array.from([start, ...labels.slice(0, -1).map((id) => (id < 0 ? pad : id))]) }));
  const { inputIds: targetIds, cuSeqlens: cuTarget } = packBatch(targets);
  const labels = Int32Array.from(pairs.flatMap((each) => each.labels));
  return { batch: { ...source, targetIds, cuTarget, labels }, numItems: [labels.filter((label) => label >= 0).length] };
}

/** How far a comparison may be off: `global` and `tensor` as golden-training's README has them. */
const kLimits = {
  fp32: { loss: 1e-5, norm: 1e-5, global: 4e-6, tensor: 5e-5 },
  bf16: { loss: 2e-2, norm: 4e-2, global: 4e-2, tensor: 1e-1 },
};

/** An update that changes nothing, after which AdamW's first moment is the gradient. */
const kKeepGradient = { learningRate: 0, step: 1, beta1: 0, beta2: 0, epsilon: 1, weightDecay: 0, maxGradNorm: 0 };

/** Gradients of models that write: each case of cases.json in a folder in the layout of golden-generation's `gradients`. */
export async function* checkWriting(folder: string, precision: 'fp32' | 'bf16'): AsyncGenerator<Line> {
  const { cases } = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as { readonly cases: readonly WritingCase[] };
  const limits = kLimits[precision];
  for (const each of cases) {
    const options = { task: 'seq2seq', labelSmoothing: each.label_smoothing, dropout: false, seed: 1, precision } as const;
    const model = await LearningModel.load(join(folder, each.model), options);
    const expected = await SafetensorsFile.open(join(folder, `${each.case}.safetensors`));
    try {
      const { batch, numItems } = packPairs(each.items, { start: each.decoder_start_token_id, pad: each.pad_token_id });
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
