import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ioError } from '../../../checkpoint/files.js';
import { parseJsonObject } from '../../../checkpoint/json-fields.js';
import { quotePath } from '../../../checkpoint/describe.js';
import { unexpected } from '../../../expected.js';
import { modelSizes, trainWordPiece, type ModelSize } from '../../../pretraining/index.js';
import { inTemporaryFolder } from '../../../training/checkpoints/temporary-folder.js';
import { Columns } from '../../../training/datasets/columns.js';
import { rowsOf } from '../../../training/datasets/dataset.js';
import { createModel, encoderDecoderFrom, train, type PairSource, type TrainingArgumentsOptions } from '../../../training/index.js';
import { pairOf } from '../../../training/seq2seq/collator.js';
import { openPairs } from '../../../training/seq2seq/open-pairs.js';
import { openOutput } from '../../output.js';
import { collatorOptionsOf } from './data-flags.js';
import { interruptibly } from './interrupts.js';
import { metricsTable } from './metrics-table.js';
import { pairFlagsOf, type PairFlags } from './pair-flags.js';
import { sentenceOptionsOf } from './sentence-flags.js';
import { setFitOptionsOf, type SetFitFlags } from './setfit-flags.js';
import { pairTasks, type PairTaskName } from './tasks.js';
import type { TrainFlags } from './train.js';

type Flags = TrainFlags & SetFitFlags & PairFlags & { readonly config?: string };

/** Teaches an encoder-decoder pairs of texts, saves it, and prints its metrics. Returns the exit code: 130 where an interrupt ended it. */
export async function trainPairs(name: PairTaskName, flags: Flags, args: TrainingArgumentsOptions): Promise<number> {
  if (flags.classWeights !== undefined) throw unexpected('INVALID_OPTION', `flags of ${name}`, '--class-weights, which is for other tasks');
  sentenceOptionsOf(name, flags);
  setFitOptionsOf(name, flags);
  const { train: file, eval: held, column: columns, resume, trainTarget, evalTarget } = flags;
  const collator = collatorOptionsOf(name, flags);
  const pairs = trainTarget === undefined ? file : { source: file, target: trainTarget };
  if (evalTarget !== undefined && held === undefined) throw unexpected('INVALID_OPTION', '--eval beside --eval-target', 'none');
  const evalDataset: PairSource | undefined = evalTarget === undefined ? held : { source: held!, target: evalTarget };
  const output = await openOutput(undefined, { patchable: false });
  return interruptibly((interrupts) =>
    inTemporaryFolder(async (folder) => {
      const start = await startOf(name, flags, pairs, { folder, seed: args.seed, signal: interrupts.signal });
      const { model, metrics } = await train(start, pairs, {
        ...args,
        ...(evalDataset === undefined ? {} : { evalDataset }),
        ...(columns === undefined ? {} : { columns }),
        collator,
        ...(resume === undefined ? {} : { resumeFromCheckpoint: resume }),
        task: pairTasks[name].task,
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

interface Place {
  readonly folder: string;
  readonly seed: number | undefined;
  readonly signal: AbortSignal;
}

/** The model that learns: one that is there, one made of two encoders, or a new one. Errors: INVALID_OPTION for several of them, or none. */
async function startOf(name: PairTaskName, flags: Flags, pairs: PairSource, place: Place): Promise<string> {
  const { encoder, decoder, tie, tokenizer, vocabSize } = pairFlagsOf(name, flags);
  const { model, config } = flags;
  const starts = [model, encoder ?? decoder, config].filter((start) => start !== undefined);
  const wanted = '--model, --encoder with --decoder, or --config';
  if (starts.length !== 1) throw unexpected('INVALID_OPTION', `one of ${wanted} for ${name}`, starts.length === 0 ? 'none' : 'several');
  const strays = config === undefined ? { tokenizer, 'vocab-size': vocabSize, ...(encoder === undefined && { tie }) } : { tie };
  const [stray] = Object.entries(strays).find(([, value]) => value !== undefined) ?? [];
  if (stray !== undefined) throw unexpected('INVALID_OPTION', `the flags of ${wanted}`, `--${stray}, which is for another of them`);
  if (model !== undefined) return model;
  const { folder, seed, signal } = place;
  const directory = join(folder, 'start');
  if (config === undefined) {
    if (encoder === undefined || decoder === undefined) throw unexpected('INVALID_OPTION', '--encoder and --decoder', 'one of them');
    const { newlyInitialized } = await encoderDecoderFrom(encoder, decoder, { directory, tie, seed });
    process.stderr.write(`bertha: newly initialized: ${newlyInitialized.join(', ')}\n`);
    return directory;
  }
  const learned = join(folder, 'tokenizer');
  if (tokenizer === undefined) {
    const texts = textsOf(pairs, flags.column);
    await (await trainWordPiece(texts, { vocabSize: vocabSize ?? 8000, lowercase: false, signal })).save(learned);
  }
  await createModel(directory, { config: await configOf(config), tokenizer: tokenizer ?? learned, seed });
  return directory;
}

/** BERT of a size on both sides, or what a config.json says. */
async function configOf(name: string): Promise<Readonly<Record<string, unknown>>> {
  if (Object.hasOwn(modelSizes, name)) {
    const size = modelSizes[name as ModelSize];
    return { model_type: 'encoder-decoder', encoder: size, decoder: size };
  }
  const file = quotePath(name);
  const contents = await readFile(name, 'utf8').catch((error: unknown) => {
    throw ioError(`read ${file}, which is none of the sizes ${Object.keys(modelSizes).join(', ')}`, error);
  });
  return parseJsonObject(contents, file, 'CONFIG');
}

async function* textsOf(pairs: PairSource, names: TrainFlags['column']): AsyncGenerator<string> {
  const columns = new Columns(names);
  let index = 0;
  for await (const row of rowsOf(await openPairs(pairs, names))) {
    const pair = pairOf(row);
    for (const role of ['source', 'target'] as const) yield columns.text(pair, role, index);
    index++;
  }
}
