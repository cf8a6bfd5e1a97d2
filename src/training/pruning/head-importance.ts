import { unexpected } from '../../expected.js';
import type { Collator, CollatedBatch, Example } from '../collators/collator.js';
import type { LearningModel } from '../program/learning-model.js';
import { take, type TrainedPart, type TrainedWeight } from '../program/trained-weights.js';
import { layerOfAttention, type HeadPlace } from './zero-heads.js';

/** How much the loss depends on a head. */
export interface HeadImportance extends HeadPlace {
  /** The mean over rows of |dL / dξ| for a factor ξ = 1 on what the head says, divided by the norm of its layer's. */
  readonly importance: number;
}

/** The matrices behind the attention of each layer. */
interface AttentionOutput {
  readonly layer: number;
  readonly weight: TrainedWeight;
  readonly part: TrainedPart;
}

/**
 * The importance of every head over examples, one at a time (Michel, Levy, Neubig 2019: https://arxiv.org/abs/1905.10650). A factor on a head is one
 * on the columns of the matrix that reads it, so its derivative is Σ W ∘ dL/dW over them.
 *
 * Errors: CONFIG_UNSUPPORTED (ALBERT, whose layers share their heads), those of `TrainerSession.accumulate`; the signal's reason.
 */
export async function headImportance(
  model: LearningModel,
  examples: readonly Example[],
  collator: Pick<Collator, 'collate'>,
  signal: AbortSignal | undefined,
): Promise<HeadImportance[]> {
  const { numHeads, headDim } = model.training.live.config;
  const outputs = attentionOutputs(model);
  if (outputs.length === 0) {
    throw unexpected('CONFIG_UNSUPPORTED', 'a family whose layers have heads of their own', model.training.config.modelType);
  }
  const read = async ({ weight, part }: AttentionOutput, kind: 'value' | 'gradient'): Promise<Float32Array> =>
    take(await model.session.read(weight.id, kind, part.rowBegin, part.rowBegin + part.rows), weight.cols, part, part.rowBegin);
  const values: Float32Array[] = [];
  for (const output of outputs) values.push(await read(output, 'value'));
  const sums = outputs.map(() => new Float64Array(numHeads));
  for (const example of examples) {
    const { batch, numItems }: CollatedBatch = collator.collate([example], { seed: 0, epoch: 0 });
    await model.session.accumulate([batch], { numItems, microStep: 0 }, { signal });
    for (const [i, output] of outputs.entries()) addHeads(sums[i]!, values[i]!, await read(output, 'gradient'), headDim);
    model.session.zeroGradients();
  }
  return outputs.flatMap(({ layer }, i) => {
    const norm = Math.hypot(...sums[i]!) || 1;
    return Array.from(sums[i]!, (sum, head) => ({ layer, head, importance: sum / norm }));
  });
}

function attentionOutputs({ training }: LearningModel): AttentionOutput[] {
  return training.weights.flatMap((weight) =>
    weight.parts.flatMap((part) => {
      const layer = layerOfAttention(part.name);
      return layer === undefined ? [] : [{ layer, weight, part }];
    }),
  );
}

/** Adds |Σ W ∘ dW| over the columns of each head. */
function addHeads(sums: Float64Array, values: Float32Array, gradient: Float32Array, width: number): void {
  const cols = sums.length * width;
  const own = new Float64Array(sums.length);
  values.forEach((value, i) => (own[Math.floor((i % cols) / width)]! += value * gradient[i]!));
  own.forEach((derivative, head) => (sums[head]! += Math.abs(derivative)));
}
