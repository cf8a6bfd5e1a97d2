import { unexpected } from '../../expected.js';
import { finite, oneOf, readOptions, type Check } from '../../options.js';
import { numberWithin } from './checks.js';

// Learning-rate schedules as transformers 5.24 computes them (optimization.py): pure functions of the number of updates already made.

/** Names of schedules, as transformers' `lr_scheduler_type`. */
export const schedulerTypes = [
  'linear',
  'cosine',
  'cosine_with_restarts',
  'polynomial',
  'constant',
  'constant_with_warmup',
  'inverse_sqrt',
  'cosine_with_min_lr',
  'warmup_stable_decay',
  'reduce_lr_on_plateau',
] as const;

/** One of the ten schedules. */
export type SchedulerType = (typeof schedulerTypes)[number];

/** What a schedule is made for. */
export interface ScheduleShape {
  /** The peak. */
  readonly learningRate: number;
  /** Updates until the peak. */
  readonly warmupSteps: number;
  /** Updates in all. */
  readonly maxSteps: number;
}

/** The share of the peak learning rate for the update after `step` others. */
type Factor = (step: number) => number;

const kinds = ['linear', 'cosine', '1-sqrt'] as const;
const share = numberWithin({ min: 0, max: 1 });
const steps = numberWithin({ min: 0 });

/** The part of a run between warm-up and end, from 0. Beyond the end it exceeds 1. */
const progressOf = (step: number, { warmupSteps, maxSteps }: ScheduleShape): number =>
  (step - warmupSteps) / Math.max(1, maxSteps - warmupSteps);

const withWarmup =
  ({ warmupSteps }: ScheduleShape, after: Factor): Factor =>
  (step) =>
    step < warmupSteps ? step / Math.max(1, warmupSteps) : after(step);

const cosine = (cycles: number, progress: number): number => 0.5 * (1 + Math.cos(Math.PI * cycles * 2 * progress));

/** The schedules by name: reads its own keyword arguments, gives the factor. */
const schedules: Readonly<Record<Exclude<SchedulerType, 'reduce_lr_on_plateau'>, (shape: ScheduleShape, kwargs: unknown) => Factor>> = {
  linear(shape, kwargs) {
    read(kwargs, {});
    const { warmupSteps, maxSteps } = shape;
    return withWarmup(shape, (step) => Math.max(0, (maxSteps - step) / Math.max(1, maxSteps - warmupSteps)));
  },
  cosine(shape, kwargs) {
    const { num_cycles = 0.5 } = read(kwargs, { num_cycles: finite });
    return withWarmup(shape, (step) => Math.max(0, cosine(num_cycles, progressOf(step, shape))));
  },
  cosine_with_restarts(shape, kwargs) {
    const { num_cycles = 1 } = read(kwargs, { num_cycles: finite });
    return withWarmup(shape, (step) => {
      const progress = progressOf(step, shape);
      return progress >= 1 ? 0 : Math.max(0, cosine(0.5, (num_cycles * progress) % 1));
    });
  },
  polynomial(shape, kwargs) {
    const { lr_end = 1e-7, power = 1 } = read(kwargs, { lr_end: numberWithin({ min: 0 }), power: finite });
    const { learningRate, warmupSteps, maxSteps } = shape;
    if (!(learningRate > lr_end)) {
      throw unexpected('INVALID_OPTION', `a learningRate above lr_end ${lr_end} for lrSchedulerType "polynomial"`, learningRate);
    }
    return withWarmup(shape, (step) => {
      if (step > maxSteps) return lr_end / learningRate;
      const remaining = 1 - (step - warmupSteps) / (maxSteps - warmupSteps);
      return ((learningRate - lr_end) * remaining ** power + lr_end) / learningRate;
    });
  },
  constant(_, kwargs) {
    read(kwargs, {});
    return () => 1;
  },
  constant_with_warmup(shape, kwargs) {
    read(kwargs, {});
    return withWarmup(shape, () => 1);
  },
  inverse_sqrt(shape, kwargs) {
    const { timescale = shape.warmupSteps || 10_000 } = read(kwargs, { timescale: numberWithin({ min: 0, above: true }) });
    const shift = timescale - shape.warmupSteps;
    return withWarmup(shape, (step) => 1 / Math.sqrt((step + shift) / timescale));
  },
  cosine_with_min_lr(shape, kwargs) {
    const schema = { num_cycles: finite, min_lr: numberWithin({ min: 0 }), min_lr_rate: share };
    const { num_cycles = 0.5, min_lr, min_lr_rate } = read(kwargs, schema);
    if ((min_lr === undefined) === (min_lr_rate === undefined)) {
      const given = min_lr === undefined ? 'neither' : 'both';
      throw unexpected('INVALID_OPTION', 'either min_lr or min_lr_rate in lrSchedulerKwargs of "cosine_with_min_lr"', given);
    }
    const least = min_lr_rate ?? min_lr! / shape.learningRate;
    return withWarmup(shape, (step) => Math.max(0, cosine(num_cycles, progressOf(step, shape)) * (1 - least) + least));
  },
  warmup_stable_decay(shape, kwargs) {
    const schema = {
      num_decay_steps: steps,
      num_stable_steps: steps,
      warmup_type: oneOf(kinds),
      decay_type: oneOf(kinds),
      min_lr_ratio: share,
      num_cycles: finite,
    };
    const given = read(kwargs, schema);
    const { num_decay_steps, warmup_type = 'linear', decay_type = 'cosine', min_lr_ratio = 0, num_cycles = 0.5 } = given;
    if (num_decay_steps === undefined) {
      throw unexpected('INVALID_OPTION', 'num_decay_steps in lrSchedulerKwargs of "warmup_stable_decay"', 'none');
    }
    const { warmupSteps, maxSteps } = shape;
    const stableEnd = warmupSteps + (given.num_stable_steps ?? maxSteps - warmupSteps - num_decay_steps);
    const fromLeast = (factor: number) => Math.max(0, factor * (1 - min_lr_ratio) + min_lr_ratio);
    return (step) => {
      if (step < warmupSteps) return fromLeast(rising(warmup_type, step / Math.max(1, warmupSteps)));
      if (step < stableEnd) return 1;
      if (step < stableEnd + num_decay_steps)
        return fromLeast(falling(decay_type, num_cycles, (step - stableEnd) / Math.max(1, num_decay_steps)));
      return min_lr_ratio;
    };
  },
};

/**
 * The learning rate of each update: a function of the number of updates already made. `kwargs` are transformers' `lr_scheduler_kwargs`,
 * under its names. "reduce_lr_on_plateau" follows metrics instead: `plateau.ts`.
 *
 * Errors: INVALID_OPTION for a keyword argument that the schedule does not know or that is out of range.
 */
export function schedule(
  type: Exclude<SchedulerType, 'reduce_lr_on_plateau'>,
  shape: ScheduleShape,
  kwargs?: Readonly<Record<string, unknown>>,
): (step: number) => number {
  const factor = schedules[type](shape, kwargs);
  return (step) => shape.learningRate * factor(step);
}

/** From 0 at progress 0 to 1 at progress 1. */
function rising(kind: (typeof kinds)[number], progress: number): number {
  switch (kind) {
    case 'linear':
      return progress;
    case 'cosine':
      return 0.5 * (1 - Math.cos(Math.PI * progress));
    case '1-sqrt':
      return 1 - Math.sqrt(1 - progress);
  }
}

/** From 1 at progress 0 to 0 at progress 1. */
function falling(kind: (typeof kinds)[number], cycles: number, progress: number): number {
  switch (kind) {
    case 'linear':
      return 1 - progress;
    case 'cosine':
      return cosine(cycles, progress);
    case '1-sqrt':
      return 1 - Math.sqrt(progress);
  }
}

function read<S extends Readonly<Record<string, Check<unknown>>>>(kwargs: unknown, schema: S) {
  return readOptions('lrSchedulerKwargs', kwargs, schema);
}
