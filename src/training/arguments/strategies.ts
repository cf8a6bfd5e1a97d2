import { absoluteSteps } from './run-length.js';
import type { TrainingArguments } from './training-arguments.js';

/** What follows a step or an epoch. */
export interface Due {
  readonly log: boolean;
  readonly evaluate: boolean;
  readonly save: boolean;
}

/** What is due after update `step` (from 1) of `maxSteps`, as transformers' DefaultFlowCallback decides it. */
export function dueAfterStep(args: TrainingArguments, step: number, maxSteps: number): Due {
  const every = (steps: number) => step % absoluteSteps(steps, maxSteps) === 0;
  const isLast = step >= maxSteps;
  return {
    log: (args.loggingFirstStep && step === 1) || (args.loggingStrategy === 'steps' && every(args.loggingSteps)),
    evaluate: args.evalStrategy === 'steps' && args.evalDelay <= step && (isLast || every(args.evalSteps)),
    save: args.saveStrategy === 'steps' && (isLast || every(args.saveSteps)),
  };
}

/** What is due after an epoch; `epoch` counts those done, with a fraction where the run ended inside one. */
export function dueAfterEpoch(args: TrainingArguments, epoch: number): Due {
  return {
    log: args.loggingStrategy === 'epoch',
    evaluate: args.evalStrategy === 'epoch' && args.evalDelay <= epoch,
    save: args.saveStrategy === 'epoch',
  };
}

/** Whether a metric beats the best so far. */
export function isBetter(args: TrainingArguments, metric: number, best: number | null): boolean {
  if (best === null) return !Number.isNaN(metric);
  return args.greaterIsBetter ? metric > best : metric < best;
}
