import type { TrainingArguments } from './training-arguments.js';

/** How long a run is, as transformers counts it. */
export interface RunLength {
  /** Batches of an epoch; undefined for a dataset without a length. */
  readonly batchesPerEpoch: number | undefined;
  /** Updates of an epoch: the last one may have fewer batches. */
  readonly updatesPerEpoch: number;
  /** Updates in all. */
  readonly maxSteps: number;
  /** Epochs begun; Infinity for a dataset without a length. */
  readonly numTrainEpochs: number;
  readonly warmupSteps: number;
}

/**
 * The length of a run over `rows` rows; a dataset without a length needs `maxSteps`, which the caller has checked. `planned` are the batches of an epoch where
 * the rows are not simply cut up.
 */
export function runLength(args: TrainingArguments, rows: number | undefined, planned?: number): RunLength {
  const { perDeviceTrainBatchSize: size, gradientAccumulationSteps: accumulation } = args;
  if (rows === undefined) {
    const { maxSteps } = args;
    return {
      batchesPerEpoch: undefined,
      updatesPerEpoch: maxSteps,
      maxSteps,
      numTrainEpochs: Infinity,
      warmupSteps: warmupOf(args, maxSteps),
    };
  }
  const batchesPerEpoch = planned ?? (args.dataloaderDropLast ? Math.floor(rows / size) : Math.ceil(rows / size));
  const updatesPerEpoch = Math.max(1, Math.ceil(batchesPerEpoch / accumulation));
  const maxSteps = args.maxSteps > 0 ? args.maxSteps : Math.ceil(args.numTrainEpochs * updatesPerEpoch);
  const numTrainEpochs = args.maxSteps > 0 ? Math.ceil(maxSteps / updatesPerEpoch) : Math.ceil(args.numTrainEpochs);
  return { batchesPerEpoch, updatesPerEpoch, maxSteps, numTrainEpochs, warmupSteps: warmupOf(args, maxSteps) };
}

/** A number of steps, of which one below 1 is a share of all, rounded up. */
export function absoluteSteps(steps: number, maxSteps: number): number {
  return steps < 1 ? Math.ceil(maxSteps * steps) : steps;
}

function warmupOf({ warmupSteps }: TrainingArguments, maxSteps: number): number {
  return absoluteSteps(warmupSteps, maxSteps);
}
