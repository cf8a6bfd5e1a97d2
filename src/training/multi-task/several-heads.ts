import path from 'node:path';
import { makeFolder } from '../../checkpoint/make-folder.js';
import type { Model } from '../../models/model.js';
import type { SaveDtype } from '../../checkpoint/weights/narrow.js';
import type { TrainerCallback } from '../callbacks/callback.js';
import { LearningModel, toNativeBatch, type LearningOptions } from '../program/learning-model.js';
import type { SnapshotOptions } from '../program/snapshot.js';
import type { EvaluatedBatch, StepResult, StepSettings, TrainableModel, TrainedTensor } from '../trainer/trainable-model.js';
import type { HeadBatch } from './heads-collator.js';

/**
 * A model with several heads, which learn with one encoder. A micro-batch is for one head; an update changes the encoder and the heads that its micro-batches
 * are for, as if torch's gradients of the others were None. Its loss is the mean over its micro-batches, those of one head counted together.
 */
export class SeveralHeads implements TrainableModel<HeadBatch> {
  readonly weightsFile: string;
  readonly tensors: readonly TrainedTensor[];
  readonly identity: Readonly<Record<string, string | number | boolean>>;
  readonly heads: readonly LearningModel[];
  readonly #names: readonly string[];
  /** Updates of each weight: what AdamW corrects its bias by. */
  #updates: number[];
  #isDisposed = false;

  private constructor(names: readonly string[], heads: readonly LearningModel[], identity: Readonly<Record<string, string | number>>) {
    this.#names = names;
    this.heads = heads;
    this.weightsFile = heads[0]!.weightsFile;
    this.#updates = heads[0]!.training.program.weights.map(() => 0);
    this.tensors = this.#allTensors();
    const ofHeads = heads.map(({ identity: own }, i) => Object.entries(own).map(([name, value]) => [`${names[i]!} ${name}`, value]));
    this.identity = { ...identity, ...(Object.fromEntries(ofHeads.flat()) as typeof identity) };
  }

  /** Opens a model directory for heads with names; `identity` is what a run must have besides to go on. Errors: those of `LearningModel.loadTogether`. */
  static async load(
    directory: string,
    heads: readonly (readonly [name: string, options: LearningOptions])[],
    identity: Readonly<Record<string, string | number>> = {},
  ): Promise<SeveralHeads> {
    const loaded = await LearningModel.loadTogether(
      directory,
      heads.map(([, options]) => options),
    );
    return new SeveralHeads(
      heads.map(([name]) => name),
      loaded,
      identity,
    );
  }

  /** The first head's. */
  get model(): Model {
    return this.heads[0]!.model;
  }

  /** Keeps the numbers of updates in checkpoints. */
  get callback(): TrainerCallback {
    return {
      name: 'several heads',
      save: () => ({ updates: this.#updates }),
      restore: ({ updates }) => void (this.#updates = [...(updates as number[])]),
    };
  }

  async step(batches: readonly HeadBatch[], { signal, numItems: _, microStep, ...update }: StepSettings): Promise<StepResult> {
    const { session } = this.heads[0]!;
    const learning = new Set<number>();
    let loss = 0;
    try {
      for (const [begin, end] of runsOf(batches)) {
        const { head } = batches[begin]!;
        const own = batches.filter((batch) => batch.head === head);
        // Each head's mean counts by its share of the micro-batches.
        const share = batches.length / own.length;
        const numItems = this.heads[head]!.training.losses.map((__, i) => share * sum(own.map((batch) => batch.numItems[i]!)));
        if (numItems.every((count) => count === 0)) continue;
        const native = batches.slice(begin, end).map(toNativeBatch);
        loss += (await session.accumulate(native, { program: head, numItems, microStep: microStep + begin }, { signal })).loss;
        learning.add(head);
      }
      const weights = new Set([...learning].flatMap((head) => this.heads[head]!.training.weights.map(({ id }) => id)));
      const updates = this.#updates.map((count, id) => (weights.has(id) ? count + 1 : count));
      const steps = updates.map((count, id) => (weights.has(id) ? count : 0));
      const { gradNorm } = await session.update({ ...update, steps });
      this.#updates = updates;
      return { loss, gradNorm };
    } catch (error) {
      if (!this.#isDisposed) session.zeroGradients();
      throw error;
    }
  }

  evaluate(batch: HeadBatch, options: { readonly signal?: AbortSignal } = {}): Promise<EvaluatedBatch> {
    return this.heads[batch.head]!.evaluate(batch, options);
  }

  /** A folder for each head, which is a model of its own. */
  async save(directory: string, options: { readonly dtype?: SaveDtype } = {}): Promise<void> {
    for (const [i, head] of this.heads.entries()) {
      const folder = path.join(directory, this.#names[i]!);
      await makeFolder(folder);
      await head.save(folder, options);
    }
  }

  /** Of the first head. */
  snapshot(options?: SnapshotOptions): Promise<Model> {
    return this.heads[0]!.snapshot(options);
  }

  memoryUsage(): { readonly weightBytes: number; readonly workspaceBytes: number } {
    return this.heads[0]!.memoryUsage();
  }

  dispose(): void {
    this.#isDisposed = true;
    for (const head of this.heads) head.dispose();
  }

  /** Those of the encoder once, under their names; those of a head under its. */
  #allTensors(): TrainedTensor[] {
    const own = this.heads.map(({ tensors }) => new Set(tensors.map(({ weight }) => weight)));
    const seen = new Set<string>();
    return this.heads.flatMap((head, i) =>
      head.tensors.flatMap((tensor) => {
        const key = `${tensor.weight} ${tensor.name}`;
        if (seen.has(key)) return [];
        seen.add(key);
        const isShared = own.filter((weights) => weights.has(tensor.weight)).length > 1;
        const stored = { file: path.posix.join(this.#names[i]!, head.weightsFile), name: tensor.name };
        return [{ ...tensor, stored, name: isShared ? tensor.name : `${this.#names[i]!}/${tensor.name}` }];
      }),
    );
  }
}

/** Neighbouring micro-batches of one head: where each run begins and ends. */
function runsOf(batches: readonly HeadBatch[]): [number, number][] {
  const runs: [number, number][] = [];
  batches.forEach(({ head }, i) => {
    if (i > 0 && batches[i - 1]!.head === head) runs.at(-1)![1] = i + 1;
    else runs.push([i, i + 1]);
  });
  return runs;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, each) => total + each, 0);
}
