import { mergeBranch } from '../../checkpoint/adapter/merge-branch.js';
import type { TrainerSession } from '../native/trainer-session.js';
import type { TrainingModel } from '../program/build-training.js';
import type { AdaptedLayer } from './lora-builder.js';
import { loraScale, type LoraSettings } from './lora.js';
import { take } from '../program/trained-weights.js';

/** The matrices of adapted layers with their branches added, by the names of the matrices. */
export async function mergeBranches(
  { weights }: TrainingModel,
  lora: LoraSettings,
  adapted: readonly AdaptedLayer[],
  session: TrainerSession,
): Promise<Map<string, Float32Array>> {
  const merged = new Map<string, Float32Array>();
  for (const { matrix: name, a, b, rankBegin, rank, rowBegin, rows } of adapted) {
    const weight = weights.find(({ parts }) => parts.some((part) => part.name === name))!;
    const part = weight.parts.find((each) => each.name === name)!;
    const base = take(await session.read(weight.id, 'value', part.rowBegin, part.rowBegin + rows), weight.cols, part, part.rowBegin);
    const down = await session.read(a, 'value', rankBegin, rankBegin + rank);
    const width = weights.find(({ id }) => id === b)!.cols;
    const block = { shape: [], rowBegin, rows, colBegin: rankBegin, cols: rank, trainable: true, isNew: true };
    const up = take(await session.read(b, 'value', rowBegin, rowBegin + rows), width, block, rowBegin);
    merged.set(name, mergeBranch(base, down, up, rank, loraScale(lora)));
  }
  return merged;
}
