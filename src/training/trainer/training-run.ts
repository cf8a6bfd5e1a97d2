import { BerthaError } from '../../errors.js';
import type { Budget } from '../../runtime/event-loop-budget.js';
import { warnOnce } from '../../runtime/warn-once.js';
import { plateau } from '../arguments/plateau.js';
import type { RunLength } from '../arguments/run-length.js';
import { dueAfterEpoch, dueAfterStep, isBetter, type Due } from '../arguments/strategies.js';
import { learningRates, type TrainingArguments } from '../arguments/training-arguments.js';
import type { CallbackContext, TrainerCallback, TrainerControl } from '../callbacks/callback.js';
import type { Collator } from '../collators/collator.js';
import type { BatchPlan } from './batch-plan.js';
import { batchGroups, type BatchGroup } from './batch-source.js';
import type { Examples } from './examples.js';
import { metricOf } from './metric.js';
import type { StepResult, TrainableModel } from './trainable-model.js';
import type { LogEntry, TrainerState } from './trainer-state.js';

type Metrics = Readonly<Record<string, number>>;

/** What a run needs of the trainer that makes it. */
export interface RunOptions {
  readonly model: TrainableModel;
  readonly args: TrainingArguments;
  readonly state: TrainerState;
  readonly length: RunLength;
  readonly examples: Examples;
  readonly collator: Pick<Collator, 'collate' | 'isDistinct'>;
  readonly plan: BatchPlan | undefined;
  readonly callbacks: readonly TrainerCallback[];
  readonly budget: Budget;
  readonly signal: AbortSignal;
  /** Whether to end after the step that is made, with a checkpoint, as if the process had been killed then. */
  readonly isInterrupted: () => boolean;
  /** Evaluates; undefined without data for it. */
  readonly evaluate: (() => Promise<Metrics>) | undefined;
  /** Writes a checkpoint and returns its folder; undefined where nothing is written. */
  readonly save: (() => Promise<string>) | undefined;
}

/**
 * The loop: steps, and after them what is due. All that it knows is in `state`, which changes with whole steps and whole actions alone; so a
 * run that was interrupted, by an error, an abort or a crash after a checkpoint, goes on as if it had not been.
 */
export class TrainingRun {
  readonly #options: RunOptions;
  readonly #rate: ((step: number) => number) | undefined;
  readonly #lower: ReturnType<typeof plateau> | undefined;
  readonly #control: TrainerControl = { shouldTrainingStop: false, shouldLog: false, shouldEvaluate: false, shouldSave: false };
  readonly #context: CallbackContext;

  constructor(options: RunOptions) {
    this.#options = options;
    const { args, state, length } = options;
    this.#rate = learningRates(args, length);
    this.#lower = this.#rate === undefined ? plateau(args.lrSchedulerKwargs) : undefined;
    this.#context = { args, state, control: this.#control };
  }

  /** Runs to the end, or until it is interrupted. Errors: those of the model, the data, the callbacks and of writing; the signal's reason. */
  async run(): Promise<void> {
    const { args, state } = this.#options;
    this.#control.shouldTrainingStop = state.stopped;
    await this.#call((callback) => callback.onTrainBegin?.(this.#context));
    if (state.globalStep === 0 && args.evalOnStart && this.#options.evaluate !== undefined && state.logHistory.length === 0)
      await this.#evaluate();
    await this.#finish();
    const groups = this.#isOver() ? undefined : this.#groups();
    try {
      if (groups !== undefined) await this.#steps(groups);
    } finally {
      await groups?.return();
    }
  }

  /** Tells the callbacks that the run is over. */
  async end(): Promise<void> {
    await this.#call((callback) => callback.onTrainEnd?.(this.#context));
  }

  async #steps(groups: AsyncGenerator<BatchGroup, void, undefined>): Promise<void> {
    let next = groups.next();
    for (;;) {
      const { value: group } = await next;
      if (group === undefined) return;
      this.#options.signal.throwIfAborted();
      const step = this.#step(group);
      // The next batches are made while the pool computes; if the step fails, nobody asks what became of them.
      next = groups.next();
      next.catch(() => undefined);
      try {
        this.#note(group, await step);
      } catch (error) {
        await next.catch(() => undefined);
        throw error;
      }
      await this.#afterStep(group);
      if (this.#isOver() || this.#options.isInterrupted()) {
        await next.catch(() => undefined);
        return;
      }
    }
  }

  /** One update; undefined if it was left out. */
  async #step({ batches }: BatchGroup): Promise<StepResult | undefined> {
    const { model, args, state, signal } = this.#options;
    const numItems = totals(batches.map((batch) => batch.numItems));
    state.learningRate = this.#rate?.(state.globalStep) ?? state.plateau.lr;
    if (numItems.every((count) => count === 0)) {
      warnOnce('BERTHA_TRAINING', 'no labels', `Step ${state.globalStep + 1} has no label to learn from and is left out.`);
      return { loss: 0, gradNorm: 0 };
    }
    try {
      return await model.step(batches, {
        learningRate: state.learningRate,
        step: state.updates + 1,
        beta1: args.adamBeta1,
        beta2: args.adamBeta2,
        epsilon: args.adamEpsilon,
        weightDecay: args.weightDecay,
        maxGradNorm: args.maxGradNorm,
        numItems,
        microStep: state.microSteps,
        signal,
      });
    } catch (error) {
      signal.throwIfAborted();
      if (!(error instanceof BerthaError) || error.code !== 'NON_FINITE') throw error;
      const step = `Step ${state.globalStep + 1}`;
      if (!args.skipNonFinite) {
        const hint = 'Lower learningRate, or leave such steps out with skipNonFinite.';
        throw new BerthaError('NON_FINITE', `${step}: ${error.message}. ${hint}`, { cause: error });
      }
      warnOnce('BERTHA_TRAINING', 'not finite', `${step} is left out, as skipNonFinite says: ${error.message}`);
      return undefined;
    }
  }

  /** Writes down a step that was made. */
  #note({ batches, end, endsEpoch }: BatchGroup, result: StepResult | undefined): void {
    const { args, state, length } = this.#options;
    const hadItems = batches.some(({ numItems }) => numItems.some((count) => count > 0));
    state.globalStep++;
    if (result === undefined) state.skipped++;
    else if (hadItems) state.updates++;
    state.microSteps += batches.length;
    state.numInputTokensSeen += batches.reduce((sum, { tokens }) => sum + tokens, 0);
    state.lossSum += result?.loss ?? 0;
    state.gradNorm = result?.gradNorm ?? null;
    state.position = endsEpoch ? { epoch: end.epoch + 1, rows: 0 } : end;
    const batchesPerEpoch = length.batchesPerEpoch ?? length.maxSteps * args.gradientAccumulationSteps;
    state.epoch = end.epoch + Math.ceil(end.rows / args.perDeviceTrainBatchSize) / batchesPerEpoch;
    if (endsEpoch && length.batchesPerEpoch !== undefined) state.epoch = end.epoch + 1;
  }

  async #afterStep({ endsEpoch }: BatchGroup): Promise<void> {
    const { args, state, isInterrupted } = this.#options;
    await this.#call((callback) => callback.onStepEnd?.(this.#context));
    Object.assign(state.pending, dueAfterStep(args, state.globalStep, state.maxSteps), {
      epochEnd: endsEpoch || this.#isOver(),
    });
    if (isInterrupted()) state.pending.save = true;
    await this.#finish();
  }

  /** Does what is due, in transformers' order. What was done is struck off, so that a later call goes on with the rest. */
  async #finish(): Promise<void> {
    const { args, state } = this.#options;
    await this.#perform('step');
    if (!state.pending.epochEnd) return;
    await this.#call((callback) => callback.onEpochEnd?.(this.#context));
    Object.assign(state.pending, dueAfterEpoch(args, state.epoch), { epochEnd: false });
    await this.#perform('epoch');
  }

  async #perform(after: 'step' | 'epoch'): Promise<void> {
    const { state, evaluate, save } = this.#options;
    const { pending } = state;
    const wish = this.#takeWishes();
    pending.log ||= wish.log;
    pending.evaluate ||= wish.evaluate;
    pending.save ||= wish.save;
    if (pending.log) await this.#logLoss();
    pending.log = false;
    if (pending.evaluate && evaluate !== undefined) await this.#evaluate();
    pending.evaluate = false;
    // A run that is stopped inside an epoch ends that epoch.
    state.stopped = this.#control.shouldTrainingStop;
    if (state.stopped && after === 'step') pending.epochEnd = true;
    if (pending.save && save !== undefined) await this.#save(save);
    pending.save = false;
  }

  #takeWishes(): Due {
    const { shouldLog: log, shouldEvaluate: evaluate, shouldSave: save } = this.#control;
    Object.assign(this.#control, { shouldLog: false, shouldEvaluate: false, shouldSave: false });
    return { log, evaluate, save };
  }

  async #logLoss(): Promise<void> {
    const { state } = this.#options;
    const steps = state.globalStep - state.lastLogged;
    if (steps === 0) return;
    const loss = state.lossSum / steps;
    state.totalLoss += state.lossSum;
    state.lossSum = 0;
    state.lastLogged = state.globalStep;
    await this.log({ loss, ...(state.gradNorm === null ? {} : { grad_norm: state.gradNorm }), learning_rate: state.learningRate });
  }

  /** Adds a line to the log. */
  async log(values: Metrics): Promise<void> {
    const { state } = this.#options;
    const entry: LogEntry = { ...values, epoch: state.epoch, step: state.globalStep };
    state.logHistory.push(entry);
    await this.#call((callback) => callback.onLog?.(this.#context, entry));
  }

  async #evaluate(): Promise<void> {
    const { args, state, evaluate } = this.#options;
    const metrics = await evaluate!();
    state.pending.evaluate = false;
    await this.log(metrics);
    await this.#call((callback) => callback.onEvaluate?.(this.#context, metrics));
    if (args.metricForBestModel === undefined) return;
    const metric = metricOf(args, metrics);
    if (this.#lower !== undefined) state.plateau = this.#lower(state.plateau, metric);
    if (!isBetter(args, metric, state.bestMetric)) return;
    state.bestMetric = metric;
    if (args.saveStrategy !== 'no') state.bestGlobalStep = state.globalStep;
    if (args.saveStrategy === 'best') state.pending.save = true;
  }

  async #save(save: () => Promise<string>): Promise<void> {
    const { state } = this.#options;
    // The checkpoint is of a run that has written it.
    state.pending.save = false;
    try {
      const directory = await save();
      await this.#call((callback) => callback.onSave?.(this.#context, directory));
    } catch (error) {
      state.pending.save = true;
      throw error;
    }
  }

  #isOver(): boolean {
    const { state } = this.#options;
    return this.#control.shouldTrainingStop || state.globalStep >= state.maxSteps;
  }

  #groups(): AsyncGenerator<BatchGroup, void, undefined> {
    const { state, length } = this.#options;
    return batchGroups(this.#options, state.position, length.numTrainEpochs);
  }

  async #call(how: (callback: TrainerCallback) => void | Promise<void>): Promise<void> {
    for (const callback of this.#options.callbacks) await how(callback);
  }
}

function totals(lists: readonly (readonly number[])[]): number[] {
  const sums: number[] = [];
  for (const list of lists) list.forEach((value, index) => (sums[index] = (sums[index] ?? 0) + value));
  return sums;
}
