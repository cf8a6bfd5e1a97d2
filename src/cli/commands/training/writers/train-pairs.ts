import { join } from 'node:path';
import { unexpected } from '../../../../expected.js';
import { Columns } from '../../../../training/datasets/columns.js';
import { rowsOf } from '../../../../training/datasets/dataset.js';
import { encoderDecoderFrom, type PairSource, type TrainingArgumentsOptions } from '../../../../training/index.js';
import { pairOf } from '../../../../training/seq2seq/collator.js';
import { openPairs } from '../../../../training/seq2seq/open-pairs.js';
import { pairFlagsOf } from './pair-flags.js';
import { pairTasks, type PairTaskName } from '../tasks.js';
import { configOf, newModel, tellNew, trainWriter, type Place, type WriterFlags } from './train-writer.js';
import type { TrainFlags } from '../train.js';

/** Teaches an encoder-decoder pairs of texts, saves it, and prints its metrics. Returns the exit code: 130 where an interrupt ended it. */
export async function trainPairs(name: PairTaskName, flags: WriterFlags, args: TrainingArgumentsOptions): Promise<number> {
  const { train: file, eval: held, trainTarget, evalTarget } = flags;
  const rows = trainTarget === undefined ? file : { source: file, target: trainTarget };
  if (evalTarget !== undefined && held === undefined) throw unexpected('INVALID_OPTION', '--eval beside --eval-target', 'none');
  const evalRows = evalTarget === undefined ? held : { source: held!, target: evalTarget };
  const { task } = pairTasks[name];
  return trainWriter(name, flags, args, { task, rows, evalRows, start: (place) => startOf(name, flags, rows, place) });
}

/** The model that learns: one that is there, one made of two encoders, or a new one. Errors: INVALID_OPTION for several of them, or none. */
async function startOf(name: PairTaskName, flags: WriterFlags, pairs: PairSource, place: Place): Promise<string> {
  const { encoder, decoder, tie, tokenizer, vocabSize } = pairFlagsOf(name, flags);
  const { model, config } = flags;
  const starts = [model, encoder ?? decoder, config].filter((start) => start !== undefined);
  const wanted = '--model, --encoder with --decoder, or --config';
  if (starts.length !== 1) throw unexpected('INVALID_OPTION', `one of ${wanted} for ${name}`, starts.length === 0 ? 'none' : 'several');
  const strays = config === undefined ? { tokenizer, 'vocab-size': vocabSize, ...(encoder === undefined && { tie }) } : { tie };
  const [stray] = Object.entries(strays).find(([, value]) => value !== undefined) ?? [];
  if (stray !== undefined) throw unexpected('INVALID_OPTION', `the flags of ${wanted}`, `--${stray}, which is for another of them`);
  if (model !== undefined) return model;
  if (config === undefined) {
    if (encoder === undefined || decoder === undefined) throw unexpected('INVALID_OPTION', '--encoder and --decoder', 'one of them');
    const { seed } = place;
    const made = await encoderDecoderFrom(encoder, decoder, { directory: join(place.folder, 'start'), tie, seed });
    tellNew(made.newlyInitialized);
    return made.directory;
  }
  const fields = await configOf(config, (size) => ({ model_type: 'encoder-decoder', encoder: size, decoder: size }));
  return newModel(place, fields, { tokenizer, vocabSize }, textsOf(pairs, flags.column));
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
