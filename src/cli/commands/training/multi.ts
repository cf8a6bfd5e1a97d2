import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { quotePath } from '../../../checkpoint/describe.js';
import { ioError } from '../../../checkpoint/files.js';
import { isJsonObject, parseJsonObject } from '../../../checkpoint/json-fields.js';
import { unexpected } from '../../../expected.js';
import { oneOf, readOptions, text, type Check } from '../../../options.js';
import { trainMultiTask, type MultiTaskHead, type MultiTaskOptions, type TrainingArgumentsOptions } from '../../../training/index.js';
import { openOutput } from '../../output.js';
import { kebabCase } from './argument-flags.js';
import { collatorOptionsOf } from './data-flags.js';
import { interruptibly } from './interrupts.js';
import { metricsTable } from './metrics-table.js';
import { sentenceOptionsOf } from './sentence-flags.js';
import { setFitOptionsOf, type SetFitFlags } from './setfit-flags.js';
import { trainingTaskNames, trainingTasks } from './tasks.js';
import type { TrainFlags } from './train.js';

/** Flags of `bertha train` that a file of heads says in their place. */
const ofHeads = ['train', 'eval', 'column', 'classWeights'] as const satisfies readonly (keyof TrainFlags)[];

const anything: Check<unknown> = (value) => value;
const schema = { heads: anything, sampling: anything, temperature: anything };
const headSchema = {
  name: text,
  task: oneOf(trainingTaskNames),
  train: text,
  eval: text,
  columns: anything,
  classWeights: anything,
  collator: anything,
};

/** Trains the heads of a file on one encoder, saves them, and prints their metrics. Returns the exit code: 130 where an interrupt ended it. */
export async function trainHeads(config: string, flags: TrainFlags & SetFitFlags, args: TrainingArgumentsOptions): Promise<number> {
  for (const name of ofHeads) {
    if (flags[name] !== undefined)
      throw unexpected('INVALID_OPTION', 'flags of multi', `--${kebabCase(name)}, which each head of --config has`);
  }
  const rows = Object.keys(collatorOptionsOf('multi', flags))[0];
  if (rows !== undefined) throw unexpected('INVALID_OPTION', 'flags of multi', `--${kebabCase(rows)}: a head of --config has "collator"`);
  sentenceOptionsOf('multi', flags);
  setFitOptionsOf('multi', flags);
  const heads = await readHeads(config);
  const { model, resume, json } = flags;
  const output = await openOutput(undefined, { patchable: false });
  return interruptibly(async (interrupts) => {
    const { models, metrics, newlyInitialized, replaced } = await trainMultiTask(model, {
      ...args,
      ...heads,
      ...(resume === undefined ? {} : { resumeFromCheckpoint: resume }),
      outputDir: flags.output ?? flags.outputDir!,
      callbacks: [interrupts.callback],
      signal: interrupts.signal,
    });
    for (const [name, each] of Object.entries(models)) {
      each.dispose();
      const [isNew, other] = [newlyInitialized[name]!, replaced[name]!];
      if (isNew.length > 0) process.stderr.write(`bertha: ${name}: newly initialized: ${isNew.join(', ')}\n`);
      if (other.length > 0) process.stderr.write(`bertha: ${name}: replaced, of another size in the checkpoint: ${other.join(', ')}\n`);
    }
    await output.write(json === true ? `${JSON.stringify(metrics)}\n` : metricsTable(metrics));
    await output.finish();
  });
}

/**
 * Reads a file of heads: { "heads": [{ "name", "task", "train", "eval", "columns", "classWeights", "collator" }], "sampling", "temperature" }. Tasks have the
 * names of the command line; files are looked for beside it.
 *
 * Errors: IO, INVALID_OPTION.
 */
export async function readHeads(config: string): Promise<Pick<MultiTaskOptions, 'heads' | 'sampling' | 'temperature'>> {
  const file = quotePath(config);
  const contents = await readFile(config, 'utf8').catch((error: unknown) => {
    throw ioError(`read ${file}`, error);
  });
  const { heads, ...others } = readOptions(file, parseJsonObject(contents, file, 'INVALID_OPTION'), schema);
  if (!Array.isArray(heads)) throw unexpected('INVALID_OPTION', `a list "heads" in ${file}`, typeof heads);
  const beside = (name: string): string => path.resolve(path.dirname(config), name);
  return {
    ...(others as Pick<MultiTaskOptions, 'sampling' | 'temperature'>),
    heads: heads.map((given: unknown, i): MultiTaskHead => {
      const call = `${file}, heads[${i}]`;
      const { task, train, eval: held, ...own } = readOptions(call, isJsonObject(given) ? given : {}, headSchema);
      if (task === undefined) throw unexpected('INVALID_OPTION', `one of ${trainingTaskNames.join(', ')} for "task" in ${call}`, 'none');
      if (train === undefined) throw unexpected('INVALID_OPTION', `a file of rows for "train" in ${call}`, 'none');
      return {
        ...(own as Omit<MultiTaskHead, 'task' | 'trainDataset'>),
        ...trainingHead(task),
        trainDataset: beside(train),
        ...(held === undefined ? {} : { evalDataset: beside(held) }),
      };
    }),
  };
}

function trainingHead(name: (typeof trainingTaskNames)[number]): Pick<MultiTaskHead, 'task' | 'problemType'> {
  const { task, ...rest } = trainingTasks[name];
  return { task, ...('problemType' in rest ? { problemType: rest.problemType } : {}) };
}
