import { integer, oneOf, readOptions } from '../../options.js';
import { numberWithin } from './checks.js';

/** Where "reduce_lr_on_plateau" stands: written to checkpoints, under PyTorch's names. */
export interface PlateauState {
  readonly lr: number;
  readonly best: number | null;
  readonly num_bad_epochs: number;
  readonly cooldown_counter: number;
}

/** The state of a run that has not been evaluated. */
export function startPlateau(learningRate: number): PlateauState {
  return { lr: learningRate, best: null, num_bad_epochs: 0, cooldown_counter: 0 };
}

const schema = {
  mode: oneOf(['min', 'max']),
  factor: numberWithin({ min: 0, max: 1, below: true }),
  patience: integer(0, 2 ** 31),
  threshold: numberWithin({ min: 0 }),
  threshold_mode: oneOf(['rel', 'abs']),
  cooldown: integer(0, 2 ** 31),
  min_lr: numberWithin({ min: 0 }),
  eps: numberWithin({ min: 0 }),
};

/**
 * torch.optim.lr_scheduler.ReduceLROnPlateau: multiplies the learning rate by `factor` when more than `patience` evaluations in a row were
 * no better. `kwargs` has PyTorch's names and defaults. Returns the next state from a state and a metric.
 *
 * Errors: INVALID_OPTION for a keyword argument that is unknown or out of range.
 */
export function plateau(kwargs?: Readonly<Record<string, unknown>>): (state: PlateauState, metric: number) => PlateauState {
  const given = readOptions('lrSchedulerKwargs', kwargs, schema);
  const { mode = 'min', factor = 0.1, patience = 10, threshold = 1e-4, threshold_mode = 'rel' } = given;
  const { cooldown = 0, min_lr = 0, eps = 1e-8 } = given;
  const sign = mode === 'min' ? -1 : 1;
  const isBetter = (metric: number, best: number) =>
    sign * metric > sign * (threshold_mode === 'rel' ? best * (1 + sign * threshold) : best + sign * threshold);
  return (state, metric) => {
    const better = state.best === null || isBetter(metric, state.best);
    const cooling = state.cooldown_counter > 0;
    const bad = better || cooling ? 0 : state.num_bad_epochs + 1;
    const next = {
      lr: state.lr,
      best: better ? metric : state.best,
      num_bad_epochs: bad,
      cooldown_counter: Math.max(0, state.cooldown_counter - 1),
    };
    if (bad <= patience) return next;
    const lower = Math.max(state.lr * factor, min_lr);
    return { ...next, lr: state.lr - lower > eps ? lower : state.lr, num_bad_epochs: 0, cooldown_counter: cooldown };
  };
}
