import { unexpected, wrongArgument } from '../../expected.js';
import type { CallbackContext, CallbackState, TrainerCallback } from './callback.js';
import { metricOf } from '../trainer/metric.js';

/** Ends training when `metricForBestModel` was no better in `patience` evaluations in a row, as transformers' EarlyStoppingCallback. */
export class EarlyStoppingCallback implements TrainerCallback {
  readonly name = 'EarlyStoppingCallback';
  readonly patience: number;
  readonly threshold: number;
  #worse = 0;

  /** `threshold`: by how much a metric must be better to count. Errors: INVALID_ARG. */
  constructor(patience = 1, threshold = 0) {
    if (!Number.isInteger(patience) || patience < 1)
      throw wrongArgument('a whole number from 1 for the patience of early stopping', patience);
    if (!Number.isFinite(threshold) || threshold < 0) throw wrongArgument('a number from 0 for the threshold of early stopping', threshold);
    this.patience = patience;
    this.threshold = threshold;
  }

  /** Errors: INVALID_OPTION without evaluations or a metric to watch. */
  onTrainBegin({ args }: CallbackContext): void {
    if (args.evalStrategy === 'no') throw unexpected('INVALID_OPTION', 'an evalStrategy of "steps" or "epoch" for early stopping', '"no"');
    if (args.metricForBestModel === undefined) {
      throw unexpected('INVALID_OPTION', 'metricForBestModel for early stopping', 'none', {
        hint: 'It is "loss" with loadBestModelAtEnd.',
      });
    }
  }

  onEvaluate({ args, state, control }: CallbackContext, metrics: Readonly<Record<string, number>>): void {
    const metric = metricOf(args, metrics);
    const { bestMetric: best } = state;
    const better = best === null || ((args.greaterIsBetter ? metric > best : metric < best) && Math.abs(metric - best) > this.threshold);
    this.#worse = better ? 0 : this.#worse + 1;
    if (this.#worse >= this.patience) control.shouldTrainingStop = true;
  }

  /** Its settings and how many evaluations were no better, under transformers' names. */
  save(): CallbackState {
    return {
      args: { early_stopping_patience: this.patience, early_stopping_threshold: this.threshold },
      attributes: { early_stopping_patience_counter: this.#worse },
    };
  }

  /** Counts on from a checkpoint. */
  restore({ attributes }: CallbackState): void {
    const counter = (attributes as Readonly<Record<string, unknown>> | undefined)?.['early_stopping_patience_counter'];
    this.#worse = typeof counter === 'number' ? counter : 0;
  }
}
