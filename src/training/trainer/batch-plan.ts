import type { Budget } from '../../runtime/event-loop-budget.js';
import type { TrainingArguments } from '../arguments/training-arguments.js';
import type { Example } from '../collators/collator.js';

/** A batch that is to be made. */
export interface PlannedBatch {
  readonly examples: readonly Example[];
  /** What its collator draws by in place of the run's epoch: how often these examples were gone through before. */
  readonly epoch: number;
}

/** Which rows are in which batch, where that is not the order of an epoch cut up: a function of the arguments and the epoch alone, so that runs can be resumed. */
export interface BatchPlan {
  /** Batches of an epoch. */
  readonly length: number;
  /** In short turns of the event loop. Errors: the reason of the budget's signal. */
  batches(epoch: number, budget: Budget): Promise<readonly PlannedBatch[]>;
}

/** Makes the plan of a run of its rows, all of them in memory. */
export type PlanBatches = (examples: readonly Example[], args: TrainingArguments) => BatchPlan;
