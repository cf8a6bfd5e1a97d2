import path from 'node:path';
import { makeFolder } from '../../checkpoint/make-folder.js';
import { unexpected } from '../../expected.js';
import type { Model } from '../../models/model.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import type { NativeMicroBatch } from '../../runtime/native.js';
import type { SaveDtype } from '../../checkpoint/weights/narrow.js';
import { type CollatedBatch, readInTurns } from '../../training/collators/collator.js';
import { evaluatedValues } from '../../training/evaluation/evaluate-losses.js';
import { LearningModel, toNativeBatch, type LearningOptions } from '../../training/program/learning-model.js';
import { seedWords } from '../../training/program/philox.js';
import type { SnapshotOptions } from '../../training/program/snapshot.js';
import { rowBlocks } from '../../training/checkpoints/tensor-rows.js';
import type { EvaluatedBatch, StepResult, StepSettings, TrainableModel, TrainedTensor } from '../../training/trainer/trainable-model.js';
import type { PretrainingPrediction } from '../examples/pretraining-collator.js';
import { replacedTokens, type ReplacedBatch } from './replaced-batch.js';
import { sampleWord } from './sample-words.js';

/** How the pair is made to learn. */
export interface ElectraOptions extends Omit<LearningOptions, 'task'> {
  /** What the discriminator's loss is multiplied by. */
  readonly discriminatorWeight: number;
}

/** What of a replaced token the discriminator said, by row. */
export interface ReplacedPrediction extends PretrainingPrediction {
  readonly tokens: number;
  /** Σ of binary cross entropies. */
  readonly replacedLoss: number;
  /** Tokens that it judged rightly; that are replaced; that are and it said so. */
  readonly right: number;
  readonly replaced: number;
  readonly found: number;
}

/** The folder of the generator in that of the discriminator. */
export const kGeneratorFolder = 'generator';

interface Shared {
  readonly generator: number;
  readonly discriminator: number;
  readonly rows: number;
  readonly cols: number;
}

/**
 * ELECTRA's generator and discriminator, learning together (Clark et al., 2020): the generator masked words; the discriminator which tokens the generator has replaced, by words
 * drawn from what it predicts. Both have the same embeddings: their gradients are added, and each update is the same for both copies. A step's loss is the generator's and
 * `discriminatorWeight` times the discriminator's, over all tokens; gradients are clipped together.
 */
export class ElectraPair implements TrainableModel<CollatedBatch> {
  readonly weightsFile = 'model.safetensors';
  readonly tensors: readonly TrainedTensor[];
  readonly identity: Readonly<Record<string, string | number | boolean>>;
  readonly #generator: LearningModel;
  readonly #discriminator: LearningModel;
  readonly #options: ElectraOptions;
  readonly #shared: readonly Shared[];

  private constructor(generator: LearningModel, discriminator: LearningModel, options: ElectraOptions) {
    this.#generator = generator;
    this.#discriminator = discriminator;
    this.#options = options;
    this.#shared = sharedWeights(generator, discriminator);
    const named = (model: LearningModel, name: string, folder: string): TrainedTensor[] =>
      model.tensors.map((tensor) => ({
        ...tensor,
        name: `${name}.${tensor.name}`,
        stored: { file: path.posix.join(folder, this.weightsFile), name: tensor.name },
      }));
    this.tensors = [...named(discriminator, 'discriminator', ''), ...named(generator, 'generator', kGeneratorFolder)];
    const ofGenerator = Object.entries(generator.identity).map(([name, value]) => [`generator ${name}`, value]);
    this.identity = { ...discriminator.identity, ...Object.fromEntries(ofGenerator), 'discriminator weight': options.discriminatorWeight };
  }

  /** Opens the directory of a discriminator with its generator in `generator`. Errors: those of `LearningModel.load`, MODEL_MISMATCH. */
  static async load(directory: string, options: ElectraOptions): Promise<ElectraPair> {
    const { discriminatorWeight: _, ...learning } = options;
    // Dropout's numbers are a function of the seed: the generator has a seed of its own.
    const seed = (learning.seed + 2 ** 32) % 2 ** 53;
    const generator = await LearningModel.load(path.join(directory, kGeneratorFolder), { ...learning, seed, task: 'fill-mask' });
    try {
      return new ElectraPair(generator, await LearningModel.load(directory, { ...learning, task: 'replaced-token' }), options);
    } catch (error) {
      generator.dispose();
      throw error;
    }
  }

  /** The discriminator. */
  get model(): Model {
    return this.#discriminator.model;
  }

  /** The two models. @internal */
  get parts(): { readonly generator: LearningModel; readonly discriminator: LearningModel } {
    return { generator: this.#generator, discriminator: this.#discriminator };
  }

  async step(batches: readonly CollatedBatch[], { signal, numItems, microStep, ...update }: StepSettings): Promise<StepResult> {
    const [first, second] = [this.#generator.session, this.#discriminator.session];
    const tokens = batches.reduce((sum, batch) => sum + batch.tokens, 0);
    const weighted = [tokens / this.#options.discriminatorWeight];
    const budget = new Budget(signal, 'bulk');
    try {
      let loss = 0;
      for (const [i, batch] of batches.entries()) {
        const own = { microStep: microStep + i };
        const native = toNativeBatch(batch);
        const outputs = Int32Array.of(this.#generator.training.output.id);
        const words = await first.accumulate([native], { ...own, numItems, outputs }, { signal });
        const replaced = await this.#replace(native, words.outputs[0]![0]!, own.microStep, budget);
        loss += words.loss + (await second.accumulate([replaced], { ...own, numItems: weighted }, { signal })).loss;
      }
      const sharedSquares = await this.#addShared(budget);
      const squares = (await first.gradientNorm()) ** 2 + (await second.gradientNorm()) ** 2 - sharedSquares;
      const jointNorm = Math.sqrt(Math.max(0, squares));
      signal?.throwIfAborted();
      if (!Number.isFinite(loss) || !Number.isFinite(jointNorm)) {
        throw unexpected('NON_FINITE', `finite losses and gradients in step ${update.step}`, `loss ${loss}, norm ${jointNorm}`);
      }
      await first.update({ ...update, jointNorm });
      await second.update({ ...update, jointNorm });
      return { loss, gradNorm: jointNorm };
    } catch (error) {
      for (const session of [first, second]) session.zeroGradients();
      throw error;
    }
  }

  async evaluate(batch: CollatedBatch, { signal }: { readonly signal?: AbortSignal } = {}): Promise<EvaluatedBatch> {
    const run = { signal, priority: 'bulk' } as const;
    const native = toNativeBatch(batch);
    const [generator, discriminator] = [this.#generator, this.#discriminator];
    const wanted = evaluatedValues(generator.training.live, { task: 'fill-mask' });
    const [words] = await generator.model.session.run(native, wanted, run);
    const replaced = await this.#replace(native, words!, 0, new Budget(signal, 'bulk'));
    const judged = evaluatedValues(discriminator.training.live, { task: 'replaced-token' });
    const [logits] = await discriminator.model.session.run(replaced, judged, run);
    const read = await readInTurns(batch, new Budget(signal, 'bulk'), words!);
    const predictions = (read.predictions as readonly PretrainingPrediction[]).map((prediction, row) => ({
      ...prediction,
      ...judgedRow(replaced, logits!, row),
    }));
    const sum = (of: (prediction: ReplacedPrediction) => number): number => predictions.reduce((all, each) => all + of(each), 0);
    return {
      losses: [sum(({ wordLoss }) => wordLoss), this.#options.discriminatorWeight * sum(({ replacedLoss }) => replacedLoss)],
      numItems: [batch.numItems[0]!, batch.tokens],
      predictions,
      labels: read.labels,
    };
  }

  async save(directory: string, options: { readonly dtype?: SaveDtype } = {}): Promise<void> {
    await this.#discriminator.save(directory, options);
    const folder = path.join(directory, kGeneratorFolder);
    await makeFolder(folder);
    await this.#generator.save(folder, options);
  }

  /** The discriminator. */
  snapshot(options?: SnapshotOptions): Promise<Model> {
    return this.#discriminator.snapshot(options);
  }

  memoryUsage(): { readonly weightBytes: number; readonly workspaceBytes: number } {
    const [a, b] = [this.#generator.memoryUsage(), this.#discriminator.memoryUsage()];
    return { weightBytes: a.weightBytes + b.weightBytes, workspaceBytes: a.workspaceBytes + b.workspaceBytes };
  }

  dispose(): void {
    this.#generator.dispose();
    this.#discriminator.dispose();
  }

  /** Draws words from logits [selected, vocabulary] and puts them in place of the masked ones. */
  async #replace(batch: NativeMicroBatch, logits: Float32Array, microStep: number, budget: Budget): Promise<ReplacedBatch> {
    const { selected } = batch;
    const width = logits.length / Math.max(1, selected!.length);
    const key = seedWords(this.#options.seed);
    const words = new Int32Array(selected!.length);
    for (let row = 0; row < words.length; row++) {
      words[row] = sampleWord(logits.subarray(row * width, (row + 1) * width), { key, row, microStep });
      if (budget.isSpent) await budget.yield();
    }
    return replacedTokens(batch, words);
  }

  /** Gives both copies of the embeddings the sum of their gradients, some rows a turn; returns the sum of its squares. */
  async #addShared(budget: Budget): Promise<number> {
    const [first, second] = [this.#generator.session, this.#discriminator.session];
    let squares = 0;
    for (const { generator, discriminator, rows, cols } of this.#shared) {
      for (const [begin, end] of rowBlocks(0, rows, cols)) {
        const sum = await first.read(generator, 'gradient', begin, end);
        const other = await second.read(discriminator, 'gradient', begin, end);
        for (let i = 0; i < sum.length; i++) {
          sum[i]! += other[i]!;
          squares += sum[i]! * sum[i]!;
        }
        await first.write(generator, 'gradient', begin, sum);
        await second.write(discriminator, 'gradient', begin, sum);
        if (budget.isSpent) await budget.yield();
      }
    }
    return squares;
  }
}

/** Weights of the embeddings, by their numbers in both models. Errors: MODEL_MISMATCH where their sizes differ. */
function sharedWeights(generator: LearningModel, discriminator: LearningModel): Shared[] {
  const named = ({ training }: LearningModel) =>
    training.weights.filter(({ tiedTo, parts }) => tiedTo === undefined && parts[0]!.name.startsWith('electra.embeddings.'));
  const others = new Map(named(discriminator).map((weight) => [weight.parts[0]!.name, weight]));
  return named(generator)
    .filter(({ trainable }) => trainable)
    .map(({ id, rows, cols, parts }) => {
      const other = others.get(parts[0]!.name);
      if (other !== undefined && other.rows === rows && other.cols === cols) return { generator: id, discriminator: other.id, rows, cols };
      const received = other === undefined ? 'none' : `[${other.rows}, ${other.cols}]`;
      throw unexpected('MODEL_MISMATCH', `${parts[0]!.name} [${rows}, ${cols}] of the generator in the discriminator too`, received);
    });
}

function judgedRow(
  { cuSeqlens, numbers }: ReplacedBatch,
  logits: Float32Array,
  row: number,
): Omit<ReplacedPrediction, keyof PretrainingPrediction> {
  const [begin, end] = [cuSeqlens[row]!, cuSeqlens[row + 1]!];
  let [replacedLoss, right, replaced, found] = [0, 0, 0, 0];
  for (let token = begin; token < end; token++) {
    const [x, y] = [logits[token]!, numbers[token]!];
    replacedLoss += Math.max(x, 0) - x * y + Math.log1p(Math.exp(-Math.abs(x)));
    if (x > 0 === (y === 1)) right++;
    replaced += y;
    if (x > 0) found += y;
  }
  return { tokens: end - begin, replacedLoss, right, replaced, found };
}
