import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { quotePath } from '../../checkpoint/describe.js';
import { exists, isDirectory } from '../../checkpoint/exists.js';
import { ioError, isMissing } from '../../checkpoint/files.js';
import { unexpected } from '../../expected.js';
import { loadAddon } from '../../runtime/addon.js';
import { callNative } from '../../runtime/native-error.js';
import { warnOnce } from '../../runtime/warn-once.js';
import { version } from '../../version.js';
import type { TrainingArguments } from '../arguments/training-arguments.js';
import type { CallbackState } from '../callbacks/callback.js';
import type { TrainableModel } from '../trainer/trainable-model.js';
import type { TrainerState } from '../trainer/trainer-state.js';
import { removeFolder, replaceFolder, sweepFolder } from './complete-folder.js';
import { lockDirectory } from './directory-lock.js';
import { fileSums, requireSums } from './file-sums.js';
import { OPTIMIZER_FILE, readOptimizer, readWeights, writeOptimizer } from './optimizer-file.js';
import { readStateFile, writeStateFile, type RunIdentity, type StateFile } from './state-file.js';

/** Files of transformers' checkpoints that are pickles: reading one runs its code. */
const pickles = ['optimizer.pt', 'optimizer.bin', 'rng_state.pth', 'scheduler.pt', 'scaler.pt', 'training_args.bin'];

/** What of a run goes into a checkpoint. */
export interface CheckpointContents {
  readonly model: TrainableModel;
  readonly args: TrainingArguments;
  readonly state: TrainerState;
  readonly identity: RunIdentity;
  readonly callbacks: Readonly<Record<string, CallbackState>>;
}

/** The checkpoints of one output directory. One trainer at a time. */
export class CheckpointStore {
  readonly directory: string;
  readonly #unlock: () => Promise<void>;

  private constructor(directory: string, unlock: () => Promise<void>) {
    this.directory = directory;
    this.#unlock = unlock;
  }

  /** Makes the directory, locks it, and clears up what a killed process left. Errors: IO, LOCKED. */
  static async open(directory: string): Promise<CheckpointStore> {
    try {
      await mkdir(directory, { recursive: true });
    } catch (error) {
      throw ioError(`make ${quotePath(directory)}`, error);
    }
    const unlock = await lockDirectory(directory);
    try {
      await sweepFolder(directory);
    } catch (error) {
      await unlock();
      throw error;
    }
    return new CheckpointStore(directory, unlock);
  }

  /** Lets another trainer write here. */
  async close(): Promise<void> {
    await this.#unlock();
  }

  /** The folder of a step's checkpoint. */
  folder(step: number): string {
    return path.join(this.directory, `checkpoint-${step}`);
  }

  /**
   * Writes the checkpoint of the state's step, and then removes older ones beyond `saveTotalLimit`; never the best, never this one.
   *
   * Errors: IO; the older checkpoints are as they were.
   */
  async save({ model, args, state, identity, callbacks }: CheckpointContents): Promise<string> {
    const folder = this.folder(state.globalStep);
    await replaceFolder(folder, async (temporary) => {
      await model.save(temporary);
      if (!args.saveOnlyModel) await writeOptimizer(temporary, model.tensors);
      await writeFile(path.join(temporary, 'training_args.json'), `${JSON.stringify(args, null, 2)}\n`);
      const files = await fileSums(temporary);
      await writeStateFile(temporary, args, {
        version: 1,
        writtenBy: { version, instructionSet: instructionSet() },
        state,
        identity,
        files,
        callbacks,
      });
    });
    if (args.saveTotalLimit !== undefined) await this.#rotate(args.saveTotalLimit, state);
    return folder;
  }

  /** The newest checkpoint's folder. Errors: CHECKPOINT if there is none; IO. */
  async newest(): Promise<string> {
    const step = (await checkpointSteps(this.directory)).at(-1);
    if (step !== undefined) return this.folder(step);
    throw unexpected('CHECKPOINT', `a folder checkpoint-STEP in ${quotePath(this.directory)} to resume from`, 'none');
  }

  async #rotate(limit: number, state: TrainerState): Promise<void> {
    const kept = new Set([state.globalStep, state.bestModelCheckpoint === null ? undefined : state.bestGlobalStep]);
    const steps = await checkpointSteps(this.directory);
    // Steps that lie ahead are those of a run that was given up.
    const byAge = [...steps.filter((step) => step > state.globalStep), ...steps.filter((step) => step <= state.globalStep)];
    let total = steps.length;
    for (const step of byAge) {
      if (total <= limit) return;
      if (kept.has(step)) continue;
      await removeFolder(this.folder(step));
      total--;
    }
  }
}

/**
 * Reads what a run goes on with: the weights and moments into the model, the rest returned. Nothing is written to the model before all
 * files are known to be whole and to fit.
 *
 * Errors: CHECKPOINT (missing, damaged, weights alone), CHECKPOINT_MISMATCH (says what differs), UNSAFE_FORMAT (transformers' pickles), IO.
 */
export async function resume(folder: string, model: TrainableModel, identity: RunIdentity): Promise<StateFile> {
  const found = await readForResume(folder);
  requireSame(folder, found.identity, identity);
  await requireSums(folder, found.files);
  await readOptimizer(folder, model.tensors, model.weightsFile);
  const own = instructionSet();
  const before = found.writtenBy?.instructionSet ?? own;
  if (before !== own) {
    const what = `${quotePath(folder)} was written on ${before} and goes on on ${own}`;
    warnOnce('BERTHA_TRAINING', `${before} ${own}`, `${what}: numbers may differ in their last bits from a run on one instruction set.`);
  }
  return found;
}

const instructionSet = (): string => callNative(() => loadAddon().isa()).chosen;

/** The state of a checkpoint that a run can go on from. Errors: those of `resume`. */
export async function readForResume(folder: string): Promise<StateFile> {
  if (!(await isDirectory(folder))) throw unexpected('CHECKPOINT', `a folder for the checkpoint ${quotePath(folder)}`, 'none');
  if (!(await exists(path.join(folder, OPTIMIZER_FILE)))) {
    for (const name of pickles) {
      if (!(await exists(path.join(folder, name)))) continue;
      throw unexpected('UNSAFE_FORMAT', `${OPTIMIZER_FILE} in ${quotePath(folder)}`, `${name}, a pickle, which could run any code`, {
        hint: 'A run of transformers cannot be resumed here. Its weights can be trained further: load this folder as the model.',
      });
    }
    const found = await readStateFile(folder);
    const hint = 'It was written with saveOnlyModel: load this folder as the model to train it further.';
    throw unexpected('CHECKPOINT', `${OPTIMIZER_FILE} in ${quotePath(folder)}`, `weights of step ${found.state.globalStep} alone`, {
      hint,
    });
  }
  return readStateFile(folder);
}

/** Reads the weights of a checkpoint, whole and undamaged, into the model. Errors: CHECKPOINT, IO. */
export async function loadCheckpointWeights(folder: string, model: TrainableModel): Promise<void> {
  await requireSums(folder, (await readStateFile(folder)).files);
  await readWeights(folder, model.tensors, model.weightsFile);
}

/** Errors: CHECKPOINT_MISMATCH. */
function requireSame(folder: string, before: RunIdentity, now: RunIdentity): void {
  const text = (value: unknown): string => (value === undefined ? 'none' : JSON.stringify(value));
  const different = [...new Set([...Object.keys(before), ...Object.keys(now)])].filter((name) => text(before[name]) !== text(now[name]));
  if (different.length === 0) return;
  const list = (values: RunIdentity) => different.map((name) => `${name} ${text(values[name])}`).join(', ');
  throw unexpected('CHECKPOINT_MISMATCH', `what ${quotePath(folder)} was trained with (${list(before)})`, list(now), {
    hint: 'Resume with what the run began with, or load the folder as the model and begin a new run.',
  });
}

async function checkpointSteps(directory: string): Promise<number[]> {
  let names: string[];
  try {
    names = await readdir(directory);
  } catch (error) {
    if (isMissing(error)) return [];
    throw ioError(`list ${quotePath(directory)}`, error);
  }
  const steps = names.flatMap((name) => /^checkpoint-(\d+)$/.exec(name)?.[1] ?? []);
  return steps.map(Number).sort((a, b) => a - b);
}
