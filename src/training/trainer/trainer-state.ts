import type { RunLength } from '../arguments/run-length.js';
import { startPlateau, type PlateauState } from '../arguments/plateau.js';
import type { TrainingArguments } from '../arguments/training-arguments.js';
import type { DataPosition } from './batch-source.js';

/** One line of the log, under Hugging Face's names: `step`, `epoch` and `loss`, `grad_norm`, `learning_rate`, or metrics. */
export type LogEntry = Readonly<Record<string, number>> & { readonly step: number; readonly epoch: number };

/** What a step or an epoch still has to do after it: a run that is interrupted in it goes on with the rest. */
export interface Pending {
  log: boolean;
  evaluate: boolean;
  save: boolean;
  /** The epoch ended with this step, and what is due after an epoch was not done. */
  epochEnd: boolean;
}

/** Where a run stands. All of it is in a checkpoint. */
export interface TrainerState {
  /** Updates made, those left out included. */
  globalStep: number;
  /** Epochs made, with a fraction. */
  epoch: number;
  maxSteps: number;
  /** Epochs of the run, rounded up; Infinity for a dataset without a length. */
  numTrainEpochs: number;
  numInputTokensSeen: number;
  logHistory: LogEntry[];
  bestMetric: number | null;
  bestGlobalStep: number | null;
  bestModelCheckpoint: string | null;
  /** Updates that changed weights: what AdamW corrects its bias by. */
  updates: number;
  /** Updates left out because a loss or gradient was not finite. */
  skipped: number;
  /** Micro-batches made. */
  microSteps: number;
  position: DataPosition;
  /** Sum of the losses since the last log. */
  lossSum: number;
  /** Sum of the losses up to the last log. */
  totalLoss: number;
  lastLogged: number;
  /** Of the last update. */
  gradNorm: number | null;
  learningRate: number;
  plateau: PlateauState;
  pending: Pending;
  /** A callback ended the run. */
  stopped: boolean;
}

/** The state of a run that has not begun. */
export function startState(
  args: TrainingArguments,
  { maxSteps, numTrainEpochs }: Pick<RunLength, 'maxSteps' | 'numTrainEpochs'>,
): TrainerState {
  return {
    globalStep: 0,
    epoch: 0,
    maxSteps,
    numTrainEpochs,
    numInputTokensSeen: 0,
    logHistory: [],
    bestMetric: null,
    bestGlobalStep: null,
    bestModelCheckpoint: null,
    updates: 0,
    skipped: 0,
    microSteps: 0,
    position: { epoch: 0, rows: 0 },
    lossSum: 0,
    totalLoss: 0,
    lastLogged: 0,
    gradNorm: null,
    learningRate: args.learningRate,
    plateau: startPlateau(args.learningRate),
    pending: { log: false, evaluate: false, save: false, epochEnd: false },
    stopped: false,
  };
}
