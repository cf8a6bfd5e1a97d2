import { createTokenizer } from '../../architectures/create-tokenizer.js';
import { requireNumbers } from '../../checkpoint/weights/row-scales.js';
import { unexpected } from '../../expected.js';
import { Model } from '../../models/model.js';
import { openModelDirectory, type ModelDirectory } from '../../models/model-directory.js';
import { toNativeProgram } from '../../models/program/native-program.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import type { NativeMicroBatch } from '../../runtime/native.js';
import { saveModel, type TensorToSave } from '../checkpoints/save-model.js';
import { readPart, writePart } from '../checkpoints/tensor-rows.js';
import type { SaveDtype } from '../../checkpoint/weights/narrow.js';
import { type CollatedBatch, readInTurns } from '../collators/collator.js';
import { TrainerSession } from '../native/trainer-session.js';
import type { EvaluatedBatch, StepResult, StepSettings, TensorKind, TrainableModel, TrainedTensor } from '../trainer/trainable-model.js';
import { adapterConfig, adapterName } from '../lora/adapter-config.js';
import { buildTraining, type TrainingModel, type TrainingOptions } from './build-training.js';
import { CachedLoss } from '../sentence/cached-loss.js';
import { evaluatedValues, evaluateLosses } from '../evaluation/evaluate-losses.js';
import { joinRows } from '../checkpoints/joined-rows.js';
import { mergeBranches } from '../lora/merge-branches.js';
import { seedWords } from './philox.js';
import { shareWeights } from './share-weights.js';
import { snapshotModel, type SnapshotOptions } from './snapshot.js';
import type { TrainedPart, TrainedWeight } from './trained-weights.js';

/** How a model is made to learn. */
export interface LearningOptions extends TrainingOptions {
  readonly threads?: number | undefined;
  /** Of matrix products; master weights are float32. Default 'fp32'. */
  readonly precision?: 'fp32' | 'bf16' | undefined;
  /** Gradient checkpointing: less memory, a third more time. */
  readonly recompute?: boolean | undefined;
}

/** A tensor of a model that learns, and the number of the weight that holds it: models that learn together have those of the encoder in common. */
export interface LearnedTensor extends TrainedTensor {
  readonly weight: number;
}

/** A model that learns a task: its head, its losses and its weights in native memory, until `dispose`. */
export class LearningModel implements TrainableModel<CollatedBatch> {
  readonly model: Model;
  readonly tensors: readonly LearnedTensor[];
  /** What `buildTraining` made: names, losses, which tensors are new. */
  readonly training: TrainingModel;
  readonly weightsFile: string;
  readonly identity: Readonly<Record<string, string | number | boolean>>;
  readonly #session: TrainerSession;
  /** Its program's number in the session. */
  readonly #program: number;
  readonly #directory: ModelDirectory;
  /** Names of the layers with a branch. */
  readonly #adapted: ReadonlySet<string>;
  readonly #options: LearningOptions;
  /** Present where batches are computed in parts. */
  readonly #cached: CachedLoss | undefined;
  #isDisposed = false;

  private constructor(
    directory: ModelDirectory,
    training: TrainingModel,
    session: TrainerSession,
    program: number,
    options: LearningOptions,
  ) {
    const { live, config } = training;
    this.training = training;
    this.#session = session;
    this.#program = program;
    this.#directory = directory;
    this.#options = options;
    this.#adapted = new Set(training.adapted.map(({ module }) => module));
    const { miniBatchSize, threads } = options;
    const [like] = directory.tensors.values();
    this.#cached =
      miniBatchSize === undefined
        ? undefined
        : new CachedLoss({ task: options, output: training.output, miniBatchSize, like: like!, threads });
    const tokenizer = createTokenizer(directory.tokenizerFiles, { maxLength: directory.maxLength, maxPositions: config.maxSequenceLength });
    const precision = { asked: 'fp32', chosen: 'fp32', reason: 'live weights are float32' } as const;
    const device = { asked: 'cpu', chosen: 'cpu', reason: 'where it learns' } as const;
    this.model = new Model(directory, live, tokenizer, { session: session.live(toNativeProgram(live.program)), precision, device });
    this.weightsFile = training.lora === undefined ? 'model.safetensors' : 'adapter_model.safetensors';
    const learned = training.weights.flatMap((weight) =>
      weight.tiedTo === undefined
        ? weight.parts
            .filter(({ trainable }) => trainable)
            .map((part) => ({ tensor: this.#tensor(weight, part), rowsOf: namedRows(part, (name) => this.#nameOf(name)) }))
        : [],
    );
    this.tensors = joinRows(learned);
    this.identity = {
      task: options.task,
      class: String((config.raw['architectures'] as readonly unknown[])[0]),
      'trained tensors': this.tensors.length,
      'trained numbers': this.tensors.reduce((sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1), 0),
      labels: config.id2label.join(', '),
      ...(options.sentenceLoss && { loss: JSON.stringify([options.sentenceLoss, options.matryoshka ?? null, miniBatchSize ?? null]) }),
    };
  }

  /**
   * Opens a model directory for learning. Errors: those of `openModelDirectory`, `buildTraining` and `TrainerSession.load`, VOCAB, TOKENIZER.
   */
  static async load(directory: string, options: LearningOptions): Promise<LearningModel> {
    return (await LearningModel.loadTogether(directory, [options]))[0]!;
  }

  /**
   * Opens a model directory once for several heads, which learn with the same encoder: its weights, gradients and moments are in memory once. How they are
   * computed is what the first head's options say. Errors: those of `load`.
   */
  static async loadTogether(directory: string, heads: readonly LearningOptions[]): Promise<LearningModel[]> {
    const opened = await openModelDirectory(directory);
    try {
      requireNumbers(opened.tensors, 'training');
      const trainings = shareWeights(heads.map((options) => buildTraining(opened, options)));
      const { threads, precision = 'fp32', recompute = false, seed } = heads[0]!;
      const session = await TrainerSession.load(trainings[0]!.program, { threads, precision, recompute, seed: seedWords(seed) });
      try {
        const values = new Map(trainings.flatMap(({ initialValues }) => [...initialValues]));
        for (const [weight, each] of values) await session.write(weight, 'value', 0, each);
        await opened.verifyUnchanged();
        return trainings.map((training, i) => new LearningModel(opened, training, session, i, heads[i]!));
      } catch (error) {
        session.dispose();
        throw error;
      }
    } finally {
      await opened.close();
    }
  }

  /** The session, for gradients. @internal */
  get session(): TrainerSession {
    return this.#session;
  }

  async step(batches: readonly CollatedBatch[], { signal, ...settings }: StepSettings): Promise<StepResult> {
    const program = this.#program;
    if (this.#cached === undefined) return this.#session.step(batches.map(toNativeBatch), { ...settings, program }, { signal });
    let loss = 0;
    try {
      for (const [i, batch] of batches.entries()) {
        const own = { numItems: settings.numItems, microStep: settings.microStep + i, ...(signal && { signal }) };
        loss += await this.#cached.accumulate(this.#session, toNativeBatch(batch), own);
      }
      return { loss, ...(await this.#session.update(settings)) };
    } catch (error) {
      if (!this.#isDisposed) this.#session.zeroGradients();
      throw error;
    }
  }

  async evaluate(batch: CollatedBatch, { signal }: { readonly signal?: AbortSignal } = {}): Promise<EvaluatedBatch> {
    const values = evaluatedValues(this.training.live, this.#options);
    const outputs = await this.model.session.run(toNativeBatch(batch), values, { signal, priority: 'bulk' });
    const budget = new Budget(signal, 'bulk');
    const { predictions, labels } = await readInTurns(batch, budget, outputs[0]!, outputs[1]);
    if (labels.length === 0 || batch.isOnlyScored === true) return { losses: [], numItems: [], predictions, labels };
    const losses = await evaluateLosses(values, outputs, toNativeBatch(batch), this.training.live.config, this.#options, budget);
    return { losses, numItems: batch.numItems, predictions, labels };
  }

  /** Whether saved files keep the modules of sentence-transformers. */
  get #keepsModules(): boolean {
    return this.#options.task === 'sentence-embedding';
  }

  /** A whole model as it is saved, but for its tensors; a sentence model with modules, also where the source had none. */
  get #saved() {
    const { path: source, sentenceTransformers, maxLength } = this.#directory;
    const { raw: config, hiddenSize } = this.training.config;
    const newModules = this.#keepsModules && sentenceTransformers === undefined ? { width: hiddenSize, maxLength } : undefined;
    return { source, config, keepsModules: this.#keepsModules, newModules };
  }

  /** With LoRA the adapter alone; else a whole model. */
  async save(directory: string, { dtype = 'fp32' }: { readonly dtype?: SaveDtype } = {}): Promise<void> {
    const { lora } = this.training;
    const tensors = this.#tensorsToSave(lora === undefined ? () => true : ({ trainable }) => trainable);
    if (lora === undefined) {
      await saveModel(directory, { ...this.#saved, tensors, dtype });
      return;
    }
    await saveModel(directory, {
      adapter: adapterConfig(lora, this.#options.task, this.#directory.path),
      config: this.training.config.raw,
      tensors,
      dtype,
    });
  }

  /** A whole model with the branches of LoRA added to their matrices; without LoRA as `save`. */
  async saveMerged(directory: string): Promise<void> {
    const { adapted, lora } = this.training;
    const merged = lora === undefined ? new Map<string, Float32Array>() : await mergeBranches(this.training, lora, adapted, this.#session);
    const isBranch = new Set(adapted.flatMap(({ a, b }) => [a, b]));
    const tensors = this.#tensorsToSave((_, weight) => !isBranch.has(weight.id), merged);
    await saveModel(directory, { ...this.#saved, tensors });
  }

  snapshot(options?: SnapshotOptions): Promise<Model> {
    const source = { directory: this.#directory, training: this.training, session: this.#session, keepsModules: this.#keepsModules };
    return snapshotModel(source, options);
  }

  memoryUsage(): { readonly weightBytes: number; readonly workspaceBytes: number } {
    const { weights, workspaces } = this.#session.memoryUsage();
    return { weightBytes: weights, workspaceBytes: workspaces };
  }

  dispose(): void {
    this.#isDisposed = true;
    this.#cached?.dispose();
    this.model.dispose();
    this.#session.dispose();
  }

  /** As what learns is saved: LoRA's tensors as peft calls them. */
  #nameOf(name: string): string {
    return this.training.lora === undefined ? name : adapterName(name, this.#adapted);
  }

  #tensor(weight: TrainedWeight, part: TrainedPart): LearnedTensor {
    const length = part.rows * part.cols;
    return {
      name: this.#nameOf(part.name),
      shape: part.shape,
      weight: weight.id,
      read: (kind: TensorKind) => readPart(this.#session, weight, part, kind),
      write: async (kind: TensorKind, values: Float32Array) => {
        if (values.length !== length) throw unexpected('INVALID_ARG', `${length} numbers for ${part.name}`, String(values.length));
        await writePart(this.#session, weight, part, kind, values);
      },
    };
  }

  #tensorsToSave(
    isSaved: (part: TrainedPart, weight: TrainedWeight) => boolean,
    merged: ReadonlyMap<string, Float32Array> = new Map(),
  ): TensorToSave[] {
    const { weights } = this.training;
    const nameOf = (name: string): string => (merged.size > 0 ? name : this.#nameOf(name));
    const saved = weights.flatMap((weight) =>
      weight.tiedTo === undefined
        ? weight.parts
            .filter((part) => isSaved(part, weight))
            .map((part) => ({
              tensor: {
                name: nameOf(part.name),
                shape: part.shape,
                read: async () => merged.get(part.name) ?? (await this.#tensor(weight, part).read('value')),
              },
              rowsOf: namedRows(part, nameOf),
            }))
        : [],
    );
    return joinRows(saved);
  }
}

function namedRows({ rowsOf }: TrainedPart, nameOf: (name: string) => string): TrainedPart['rowsOf'] {
  return rowsOf && { ...rowsOf, name: nameOf(rowsOf.name) };
}

/** A collated batch as native code reads it. */
export function toNativeBatch({ batch }: Pick<CollatedBatch, 'batch'>): NativeMicroBatch {
  return batch;
}
