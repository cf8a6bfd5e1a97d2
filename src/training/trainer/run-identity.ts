import type { TrainingArguments } from '../arguments/training-arguments.js';
import type { RunIdentity } from '../checkpoints/state-file.js';
import type { TrainableModel } from './trainable-model.js';

/** Arguments that change what a run computes: a run that goes on needs the same. */
const decisive = [
  'numTrainEpochs',
  'maxSteps',
  'perDeviceTrainBatchSize',
  'gradientAccumulationSteps',
  'learningRate',
  'weightDecay',
  'adamBeta1',
  'adamBeta2',
  'adamEpsilon',
  'maxGradNorm',
  'lrSchedulerType',
  'lrSchedulerKwargs',
  'warmupSteps',
  'labelSmoothingFactor',
  'seed',
  'dataSeed',
  'dataloaderDropLast',
  'trainSamplingStrategy',
  'bf16',
  'freeze',
  'bitfit',
  'lora',
] as const satisfies readonly (keyof TrainingArguments)[];

/** What must be equal to go on with a run, by what errors call it. */
export function runIdentity(model: TrainableModel, args: TrainingArguments, rows: number | undefined, dataset: string): RunIdentity {
  const modelFields = Object.entries(model.identity).map(([name, value]) => [`model ${name}`, value]);
  const argumentFields = decisive.flatMap((name) => (args[name] === undefined ? [] : [[name, args[name]]]));
  return { ...Object.fromEntries([...modelFields, ...argumentFields]), 'train dataset': { rows: rows ?? 'stream', digest: dataset } };
}
