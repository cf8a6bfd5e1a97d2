import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { quotePath } from '../../checkpoint/describe.js';
import { ioError } from '../../checkpoint/files.js';
import { unexpected } from '../../expected.js';
import { errorMessage } from '../../realms.js';
import type { TrainingArguments } from '../arguments/training-arguments.js';
import type { CallbackState } from '../callbacks/callback.js';
import type { TrainerState } from '../trainer/trainer-state.js';
import { STATE_FILE, type FileSum } from './file-sums.js';

/** What must be equal to go on: values by what they are called in errors. */
export type RunIdentity = Readonly<Record<string, unknown>>;

/** What trainer_state.json holds beside Hugging Face's fields, under `bertha`. */
export interface RunRecord {
  readonly version: 1;
  /** This package's version, and the instruction set whose kernels computed. Missing in checkpoints of older versions. */
  readonly writtenBy?: { readonly version: string; readonly instructionSet: string } | undefined;
  readonly state: TrainerState;
  readonly identity: RunIdentity;
  readonly files: Readonly<Record<string, FileSum>>;
}

/** A trainer's state as a checkpoint holds it. */
export interface StateFile extends RunRecord {
  readonly callbacks: Readonly<Record<string, CallbackState>>;
}

/** Writes trainer_state.json: Hugging Face's fields, so that its tools read log and best metric, and ours. Errors: IO. */
export async function writeStateFile(folder: string, args: TrainingArguments, { callbacks, ...record }: StateFile): Promise<void> {
  const { state } = record;
  const fields = {
    best_global_step: state.bestGlobalStep,
    best_metric: state.bestMetric,
    best_model_checkpoint: state.bestModelCheckpoint,
    epoch: state.epoch,
    eval_steps: args.evalSteps,
    global_step: state.globalStep,
    is_hyper_param_search: false,
    is_local_process_zero: true,
    is_world_process_zero: true,
    log_history: state.logHistory,
    logging_steps: args.loggingSteps,
    max_steps: state.maxSteps,
    num_input_tokens_seen: state.numInputTokensSeen,
    num_train_epochs: Number.isFinite(state.numTrainEpochs) ? state.numTrainEpochs : Number.MAX_SAFE_INTEGER,
    save_steps: args.saveSteps,
    stateful_callbacks: callbacks,
    total_flos: 0,
    train_batch_size: args.perDeviceTrainBatchSize,
    trial_name: null,
    trial_params: null,
    bertha: record,
  };
  const file = path.join(folder, STATE_FILE);
  try {
    await writeFile(file, `${JSON.stringify(fields, replaceInfinity, 2)}\n`);
  } catch (error) {
    throw ioError(`write ${quotePath(file)}`, error);
  }
}

/** Reads trainer_state.json. Errors: CHECKPOINT for one that is missing, damaged or of another program; IO. */
export async function readStateFile(folder: string): Promise<StateFile> {
  const file = path.join(folder, STATE_FILE);
  const wanted = `a training checkpoint of ours in ${quotePath(file)}`;
  let fields: Partial<Record<string, unknown>>;
  try {
    fields = JSON.parse(await readFile(file, 'utf8'), reviveInfinity) as Partial<Record<string, unknown>>;
  } catch (error) {
    throw unexpected('CHECKPOINT', wanted, errorMessage(error), { hint: 'Resume from another checkpoint.', cause: error });
  }
  const record = fields['bertha'] as Partial<RunRecord> | undefined;
  if (record?.version !== 1 || record.state === undefined || record.identity === undefined || record.files === undefined) {
    throw unexpected('CHECKPOINT', wanted, 'a file without our fields', {
      hint: 'The weights of another program’s checkpoint can be trained further: load its folder as the model.',
    });
  }
  const callbacks = (fields['stateful_callbacks'] ?? {}) as StateFile['callbacks'];
  return { version: 1, writtenBy: record.writtenBy, state: record.state, identity: record.identity, files: record.files, callbacks };
}

const kInfinity = 'Infinity';
const replaceInfinity = (_: string, value: unknown): unknown => (value === Infinity ? kInfinity : value);
const reviveInfinity = (_: string, value: unknown): unknown => (value === kInfinity ? Infinity : value);
