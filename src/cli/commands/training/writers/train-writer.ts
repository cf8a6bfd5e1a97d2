import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { quotePath } from '../../../../checkpoint/describe.js';
import { ioError } from '../../../../checkpoint/files.js';
import { parseJsonObject } from '../../../../checkpoint/json-fields.js';
import { unexpected } from '../../../../expected.js';
import { modelSizes, trainWordPiece, type ModelSize } from '../../../../pretraining/index.js';
import { inTemporaryFolder } from '../../../../training/checkpoints/temporary-folder.js';
import {
  createModel,
  train,
  type CreateModelOptions,
  type PairSource,
  type TrainingArgumentsOptions,
  type TrainModelOptions,
} from '../../../../training/index.js';
import { openOutput } from '../../../output.js';
import { collatorOptionsOf } from '../data-flags.js';
import { interruptibly } from '../interrupts.js';
import { metricsTable } from '../metrics-table.js';
import type { PairFlags } from './pair-flags.js';
import { sentenceOptionsOf } from '../sentence-flags.js';
import { setFitOptionsOf, type SetFitFlags } from '../setfit-flags.js';
import type { TrainFlags } from '../train.js';

/** The flags of `bertha train` for models that write. */
export type WriterFlags = TrainFlags & SetFitFlags & PairFlags & { readonly config?: string };

/** Where a new model is made, and what its numbers depend on. */
export interface Place {
  readonly folder: string;
  readonly seed: number | undefined;
  readonly signal: AbortSignal;
}

/** What a model that writes learns. */
interface Writing {
  readonly task: TrainModelOptions['task'];
  readonly rows: PairSource;
  readonly evalRows: PairSource | undefined;
  /** The directory of the model that learns. */
  readonly start: (place: Place) => Promise<string>;
}

/** Teaches a model that writes, saves it, and prints its metrics. Returns the exit code: 130 where an interrupt ended it. */
export async function trainWriter(name: string, flags: WriterFlags, args: TrainingArgumentsOptions, writing: Writing): Promise<number> {
  if (flags.classWeights !== undefined) throw unexpected('INVALID_OPTION', `flags of ${name}`, '--class-weights, which is for other tasks');
  sentenceOptionsOf(name, flags);
  setFitOptionsOf(name, flags);
  const { column: columns, resume } = flags;
  const { task, rows, evalRows } = writing;
  const collator = collatorOptionsOf(name, flags);
  const output = await openOutput(undefined, { patchable: false });
  return interruptibly((interrupts) =>
    inTemporaryFolder(async (folder) => {
      const start = await writing.start({ folder, seed: args.seed, signal: interrupts.signal });
      const { model, metrics } = await train(start, rows, {
        ...args,
        ...(evalRows === undefined ? {} : { evalDataset: evalRows }),
        ...(columns === undefined ? {} : { columns }),
        collator,
        ...(resume === undefined ? {} : { resumeFromCheckpoint: resume }),
        task,
        outputDir: flags.output ?? flags.outputDir!,
        callbacks: [interrupts.callback],
        signal: interrupts.signal,
      });
      model.dispose();
      await output.write(flags.json === true ? `${JSON.stringify(metrics)}\n` : metricsTable(metrics));
      await output.finish();
    }),
  );
}

/** Tells which tensors of a model that was made of others are new. */
export function tellNew(names: readonly string[]): void {
  if (names.length > 0) process.stderr.write(`bertha: newly initialized: ${names.join(', ')}\n`);
}

/** Makes a model that has learned nothing, with a tokenizer that is there, or one that is learned from texts. */
export async function newModel(
  { folder, seed, signal }: Place,
  config: CreateModelOptions['config'],
  { tokenizer, vocabSize = 8000 }: { readonly tokenizer: string | undefined; readonly vocabSize: number | undefined },
  texts: AsyncIterable<string>,
): Promise<string> {
  const learned = join(folder, 'tokenizer');
  if (tokenizer === undefined) await (await trainWordPiece(texts, { vocabSize, lowercase: false, signal })).save(learned);
  const directory = join(folder, 'start');
  await createModel(directory, { config, tokenizer: tokenizer ?? learned, seed });
  return directory;
}

/** The fields of a size of BERT, by `ofSize`, or what a config.json says. Errors: IO, CONFIG. */
export async function configOf(
  name: string,
  ofSize: (size: (typeof modelSizes)[ModelSize]) => CreateModelOptions['config'],
): Promise<CreateModelOptions['config']> {
  if (Object.hasOwn(modelSizes, name)) return ofSize(modelSizes[name as ModelSize]);
  const file = quotePath(name);
  const contents = await readFile(name, 'utf8').catch((error: unknown) => {
    throw ioError(`read ${file}, which is none of the sizes ${Object.keys(modelSizes).join(', ')}`, error);
  });
  return parseJsonObject(contents, file, 'CONFIG');
}
