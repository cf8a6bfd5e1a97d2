import path from 'node:path';
import { unexpected, wrongArgument } from '../../expected.js';
import { filePath, type FilePath } from '../../file-path.js';
import { abortSignal, readOptions, text } from '../../options.js';
import type { Model } from '../../models/model.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import { runLength, type RunLength } from '../arguments/run-length.js';
import { trainingArguments, type TrainingArguments } from '../arguments/training-arguments.js';
import type { CallbackState, TrainerCallback } from '../callbacks/callback.js';
import { CheckpointStore, loadCheckpointWeights, resume } from '../checkpoints/checkpoint-store.js';
import { fillFolder } from '../checkpoints/complete-folder.js';
import type { RunIdentity } from '../checkpoints/state-file.js';
import type { Collator } from '../collators/collator.js';
import { requireDataset, type Dataset } from '../datasets/dataset.js';
import { reports } from '../report/reports.js';
import type { BatchPlan, PlanBatches } from './batch-plan.js';
import { evaluateExamples, named, type ComputeMetrics, type OpenBatchWriter, type PredictionOutput } from './evaluation.js';
import { readExamples, type Examples } from './examples.js';
import { runIdentity } from './run-identity.js';
import type { TrainableModel } from './trainable-model.js';
import { startState, type TrainerState } from './trainer-state.js';
import { TrainingRun } from './training-run.js';

/** What a trainer is made of. */
export interface TrainerOptions<Row> {
  readonly model: TrainableModel;
  readonly args?: TrainingArguments;
  readonly trainDataset?: Dataset<Row>;
  readonly evalDataset?: Dataset<Row>;
  readonly dataCollator: Collator<Row>;
  /** For rows that are evaluated, where they are not as those that are trained. Default: dataCollator. */
  readonly evalCollator?: Collator<Row>;
  readonly computeMetrics?: ComputeMetrics;
  /** Writes what `computeMetrics` and `predict` get, where the collator does not read it off logits. Default: nothing is written. */
  readonly openWriter?: OpenBatchWriter;
  /** Scores of the live model that no rows are needed for; they are added to those of evalDataset, under names that begin with `eval_`. */
  readonly evaluator?: () => Promise<Readonly<Record<string, number>>>;
  readonly callbacks?: readonly TrainerCallback[];
  /** Which rows of trainDataset, an array, are in which batch. Default: the rows of an epoch in their order, cut up. */
  readonly planBatches?: PlanBatches;
}

/** Options of `Trainer.train`. */
export interface TrainOptions {
  /** true: the newest checkpoint of outputDir; a path: that one. */
  readonly resumeFromCheckpoint?: boolean | FilePath;
  /** Ends training with its reason; the weights are those of the last whole update. */
  readonly signal?: AbortSignal;
}

/** Options of `Trainer.evaluate` and `Trainer.predict`. */
export interface EvaluateOptions {
  readonly signal?: AbortSignal;
  /** What the names of metrics begin with. Default: `eval`; of `predict` `test`. */
  readonly metricKeyPrefix?: string;
}

/** What `Trainer.train` gives. */
export interface TrainOutput {
  readonly globalStep: number;
  /** Mean loss of all updates. */
  readonly trainingLoss: number;
  /** `train_runtime`, `train_samples_per_second`, `train_steps_per_second`, `train_loss`, `epoch`. */
  readonly metrics: Readonly<Record<string, number>>;
}

interface Prepared {
  readonly examples: Examples;
  readonly length: RunLength;
  readonly plan: BatchPlan | undefined;
  readonly identity: RunIdentity;
}

/**
 * Trains a model, as Hugging Face's Trainer does. A run that was interrupted (by an error, by an abort) goes on where it was when `train` is
 * called again.
 */
export class Trainer<Row = unknown> {
  readonly args: TrainingArguments;
  readonly #options: TrainerOptions<Row>;
  readonly #model: TrainableModel;
  readonly #evalExamples = new Map<Dataset<Row>, Promise<Examples>>();
  readonly #end = new AbortController();
  #state: TrainerState;
  #prepared: Prepared | undefined;
  #isBusy = false;
  #isFinished = false;
  #callbacks: readonly TrainerCallback[] = [];
  #stopRequested = false;

  /** Errors: INVALID_ARG for something that is no model, dataset or collator. */
  constructor(options: TrainerOptions<Row>) {
    for (const name of ['trainDataset', 'evalDataset'] as const) {
      if (options[name] !== undefined) requireDataset(options[name], name);
    }
    const { model, dataCollator } = options as Partial<TrainerOptions<Row>>;
    if (typeof model?.step !== 'function') throw wrongArgument('a trainable model for the Trainer', model);
    if (typeof dataCollator?.collate !== 'function') throw wrongArgument('a collator for dataCollator of the Trainer', dataCollator);
    this.#options = options;
    this.#model = model;
    this.args = options.args ?? trainingArguments();
    this.#state = startState(this.args, { maxSteps: 0, numTrainEpochs: 0 });
  }

  /** Where the run stands. */
  get state(): Readonly<TrainerState> {
    return this.#state;
  }

  /** An ordinary model that computes with the live weights between steps. */
  get model(): Model {
    return this.#model.model;
  }

  /**
   * Trains to the end.
   *
   * Errors: INVALID_ARG (no data, called while it runs or after its end), NON_FINITE (names step and operation), CHECKPOINT,
   * CHECKPOINT_MISMATCH, UNSAFE_FORMAT, LOCKED, IO (the state is intact: `train` goes on once there is room), OUT_OF_MEMORY, DISPOSED; the
   * signal's reason; what datasets and callbacks throw.
   */
  async train(options: TrainOptions = {}): Promise<TrainOutput> {
    const given = readOptions('train', options, {
      signal: abortSignal,
      resumeFromCheckpoint: (value, name) => (typeof value === 'boolean' ? value : filePath(value, name)),
    });
    if (this.#isFinished) {
      throw unexpected('INVALID_ARG', 'a trainer whose run is not over', 'one that has trained to the end', {
        hint: 'Make another Trainer.',
      });
    }
    return this.#alone(async () => {
      const signal = given.signal === undefined ? this.#end.signal : AbortSignal.any([given.signal, this.#end.signal]);
      signal.throwIfAborted();
      const { outputDir } = this.args;
      const store = outputDir === undefined ? undefined : await CheckpointStore.open(outputDir);
      const callbacks = [...(this.#options.callbacks ?? []), ...reports(this.args)];
      this.#callbacks = callbacks;
      try {
        return await this.#run(signal, store, callbacks, given.resumeFromCheckpoint ?? false);
      } finally {
        for (const callback of callbacks) await callback.onClose?.();
        await store?.close();
      }
    });
  }

  /** Ends the run after the step that is computed, with a checkpoint where there is an outputDir. */
  requestStop(): void {
    this.#stopRequested = true;
  }

  /**
   * Loss and metrics of rows (by default evalDataset), under names that begin with `eval_`. After a run they go to its log.
   *
   * Errors: INVALID_ARG without rows; DISPOSED; the signal's reason; what the rows and `computeMetrics` throw.
   */
  async evaluate(dataset?: Dataset<Row>, options: EvaluateOptions = {}): Promise<Readonly<Record<string, number>>> {
    const { metrics } = await this.#compute('evaluate', dataset ?? this.#options.evalDataset, options, 'eval');
    if (this.#isFinished) await this.#alone(() => this.#logFinal(metrics));
    return metrics;
  }

  /** What the model says of rows, their labels where they have some, and then metrics. Errors: those of `evaluate`. */
  async predict(dataset: Dataset<Row>, options: EvaluateOptions = {}): Promise<PredictionOutput> {
    return this.#compute('predict', dataset, options, 'test');
  }

  /** Writes the model into a folder: a new one is there whole or not at all, in an older one each file is replaced in one step. Its numbers are what `saveDtype` says. Errors: IO, DISPOSED. */
  async saveModel(directory: FilePath): Promise<void> {
    const folder = path.resolve(filePath(directory, 'the directory of saveModel'));
    await this.#alone(() => fillFolder(folder, (temporary) => this.#model.save(temporary, { dtype: this.args.saveDtype })));
  }

  /** An independent model with a copy of the weights as they are now. Errors: OUT_OF_MEMORY, DISPOSED. */
  async snapshot(options?: Parameters<TrainableModel['snapshot']>[0]): Promise<Model> {
    return this.#alone(() => this.#model.snapshot(options));
  }

  /** Gives back the memory of weights, gradients and moments. A call that runs rejects with DISPOSED. */
  dispose(): void {
    this.#end.abort(unexpected('DISPOSED', 'a trainer that is in use', 'one that was disposed'));
    this.#model.dispose();
  }

  async #run(
    signal: AbortSignal,
    store: CheckpointStore | undefined,
    callbacks: readonly TrainerCallback[],
    from: boolean | string,
  ): Promise<TrainOutput> {
    const begun = { at: performance.now(), step: this.#state.globalStep };
    const budget = new Budget(signal, 'bulk');
    const { args } = this;
    const { examples, length, plan, identity } = await this.#prepare(budget);
    if (from !== false) await this.#resume(from, store, identity, callbacks);
    const { evalDataset, evaluator } = this.#options;
    const needsEval = args.evalStrategy !== 'no' || args.evalOnStart;
    if (needsEval && evalDataset === undefined && evaluator === undefined)
      throw unexpected('INVALID_ARG', 'an evalDataset for evalStrategy', 'none');
    const run = new TrainingRun({
      model: this.#model,
      args,
      state: this.#state,
      length,
      examples,
      collator: this.#options.dataCollator,
      plan,
      callbacks,
      budget,
      signal,
      isInterrupted: () => this.#stopRequested,
      evaluate:
        evalDataset === undefined && evaluator === undefined
          ? undefined
          : async () => (await this.#evaluate(evalDataset ?? [], { signal }, 'eval')).metrics,
      save: store === undefined ? undefined : () => this.#save(store, identity, callbacks),
    });
    await run.run();
    const metrics = this.#trainMetrics(begun, length);
    if (this.#stopRequested) this.#stopRequested = false;
    else await this.#finish(run, metrics);
    return { globalStep: this.#state.globalStep, trainingLoss: metrics['train_loss']!, metrics };
  }

  async #finish(run: TrainingRun, metrics: Readonly<Record<string, number>>): Promise<void> {
    await run.log(metrics);
    const { bestModelCheckpoint } = this.#state;
    if (this.args.loadBestModelAtEnd && bestModelCheckpoint !== null) await loadCheckpointWeights(bestModelCheckpoint, this.#model);
    await run.end();
    this.#isFinished = true;
  }

  async #prepare(budget: Budget): Promise<Prepared> {
    if (this.#prepared !== undefined) return this.#prepared;
    const { trainDataset, dataCollator } = this.#options;
    if (trainDataset === undefined) throw unexpected('INVALID_ARG', 'a trainDataset to train on', 'none');
    const examples = await readExamples(trainDataset, dataCollator, budget);
    if (examples.length === undefined && this.args.maxSteps < 0) {
      throw unexpected('INVALID_ARG', 'maxSteps for a trainDataset without a length', 'none', {
        hint: 'Without it nobody knows how long the learning rate has to fall.',
      });
    }
    const plan = examples.all === undefined ? undefined : this.#options.planBatches?.(examples.all, this.args);
    const length = runLength(this.args, examples.length, plan?.length);
    if (examples.length === 0) throw unexpected('INVALID_ARG', 'at least one row to learn from in trainDataset', 'none');
    if (length.batchesPerEpoch === 0) {
      const wanted = `at least perDeviceTrainBatchSize (${this.args.perDeviceTrainBatchSize}) rows with dataloaderDropLast`;
      throw unexpected('INVALID_ARG', wanted, examples.length!);
    }
    const identity = runIdentity(this.#model, this.args, examples.length, await examples.digest(budget));
    this.#state = startState(this.args, length);
    this.#prepared = { examples, length, plan, identity };
    return this.#prepared;
  }

  async #resume(
    from: true | string,
    store: CheckpointStore | undefined,
    identity: RunIdentity,
    callbacks: readonly TrainerCallback[],
  ): Promise<void> {
    if (from === true && store === undefined) throw unexpected('INVALID_ARG', 'an outputDir for resumeFromCheckpoint: true', 'none');
    const folder = from === true ? await store!.newest() : from;
    const found = await resume(folder, this.#model, identity);
    this.#state = found.state;
    for (const callback of callbacks) {
      const state = callback.name === undefined ? undefined : found.callbacks[callback.name];
      if (state !== undefined) callback.restore?.(state);
    }
  }

  async #save(store: CheckpointStore, identity: RunIdentity, callbacks: readonly TrainerCallback[]): Promise<string> {
    const state = this.#state;
    if (state.bestGlobalStep === state.globalStep) state.bestModelCheckpoint = store.folder(state.globalStep);
    const own = callbacks.flatMap((callback): [string, CallbackState][] =>
      callback.name === undefined || callback.save === undefined ? [] : [[callback.name, callback.save()]],
    );
    return store.save({ model: this.#model, args: this.args, state, identity, callbacks: Object.fromEntries(own) });
  }

  #trainMetrics(begun: { readonly at: number; readonly step: number }, length: RunLength): Readonly<Record<string, number>> {
    const seconds = Math.max((performance.now() - begun.at) / 1000, 1e-9);
    const state = this.#state;
    const steps = state.globalStep - begun.step;
    const rowsPerStep = this.args.perDeviceTrainBatchSize * this.args.gradientAccumulationSteps;
    const rows =
      length.batchesPerEpoch === undefined ? steps * rowsPerStep : (steps / length.updatesPerEpoch) * this.#prepared!.examples.length!;
    return {
      train_runtime: seconds,
      train_samples_per_second: rows / seconds,
      train_steps_per_second: steps / seconds,
      train_loss: (state.totalLoss + state.lossSum) / Math.max(1, state.globalStep),
    };
  }

  async #compute(name: string, dataset: Dataset<Row> | undefined, options: EvaluateOptions, prefix: string): Promise<PredictionOutput> {
    const given = readOptions(name, options, { signal: abortSignal, metricKeyPrefix: text });
    if (dataset === undefined && this.#options.evaluator !== undefined && prefix === 'eval') {
      return this.#alone(() => this.#evaluate([], given, given.metricKeyPrefix ?? prefix));
    }
    if (dataset === undefined) throw unexpected('INVALID_ARG', `rows to ${name}, or an evalDataset of the Trainer`, 'none');
    requireDataset(dataset, `the rows of ${name}`);
    return this.#alone(() => this.#evaluate(dataset, given, given.metricKeyPrefix ?? prefix));
  }

  async #evaluate(dataset: Dataset<Row>, { signal }: { readonly signal?: AbortSignal }, prefix: string): Promise<PredictionOutput> {
    const { computeMetrics, evaluator, openWriter } = this.#options;
    const collator = this.#evalCollator;
    const budget = new Budget(signal, 'bulk');
    const { perDeviceEvalBatchSize: batchSize, seed } = this.args;
    const examples = await this.#examplesOf(dataset, budget);
    const found = await evaluateExamples({
      model: this.#model,
      examples,
      collator,
      batchSize,
      seed,
      budget,
      computeMetrics,
      openWriter,
      prefix,
      signal,
    });
    const scores = prefix === 'test' ? {} : await evaluator?.();
    return { ...found, metrics: { ...found.metrics, ...named(scores ?? {}, prefix) } };
  }

  async #logFinal(metrics: Readonly<Record<string, number>>): Promise<void> {
    const state = this.#state;
    const entry = { ...metrics, epoch: state.epoch, step: state.globalStep };
    state.logHistory.push(entry);
    const control = { shouldTrainingStop: false, shouldLog: false, shouldEvaluate: false, shouldSave: false };
    for (const callback of this.#callbacks) await callback.onLog?.({ args: this.args, state, control }, entry);
  }

  get #evalCollator(): Collator<Row> {
    return this.#options.evalCollator ?? this.#options.dataCollator;
  }

  /** evalDataset is read once. */
  async #examplesOf(dataset: Dataset<Row>, budget: Budget): Promise<Examples> {
    if (dataset !== this.#options.evalDataset) return readExamples(dataset, this.#evalCollator, budget);
    const known = this.#evalExamples.get(dataset) ?? readExamples(dataset, this.#evalCollator, budget);
    this.#evalExamples.set(dataset, known);
    try {
      return await known;
    } catch (error) {
      this.#evalExamples.delete(dataset);
      throw error;
    }
  }

  /** One call at a time: steps, evaluations and saving use the same weights. */
  async #alone<T>(work: () => Promise<T>): Promise<T> {
    this.#end.signal.throwIfAborted();
    if (this.#isBusy) throw unexpected('INVALID_ARG', 'one call of a Trainer at a time', 'another while one runs');
    this.#isBusy = true;
    try {
      return await work();
    } finally {
      this.#isBusy = false;
    }
  }
}
