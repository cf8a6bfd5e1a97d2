import { join } from 'node:path';
import { unexpected } from '../../../../expected.js';
import { Columns } from '../../../../training/datasets/columns.js';
import { rowsOf } from '../../../../training/datasets/dataset.js';
import { openDataset } from '../../../../training/datasets/open-dataset.js';
import { decoderFrom, type TrainingArgumentsOptions } from '../../../../training/index.js';
import { pairFlagsOf } from './pair-flags.js';
import { textTasks, type TextTaskName } from '../tasks.js';
import { configOf, newModel, tellNew, trainWriter, type Place, type WriterFlags } from './train-writer.js';

/** Teaches a decoder alone texts, saves it, and prints its metrics. Returns the exit code: 130 where an interrupt ended it. */
export async function trainTexts(name: TextTaskName, flags: WriterFlags, args: TrainingArgumentsOptions): Promise<number> {
  const { train: rows, eval: evalRows } = flags;
  const { task } = textTasks[name];
  return trainWriter(name, flags, args, { task, rows, evalRows, start: (place) => startOf(name, flags, place) });
}

/** The model that learns: one that is there, one made of an encoder, or a new one. Errors: INVALID_OPTION for several of them, or none. */
async function startOf(name: TextTaskName, flags: WriterFlags, place: Place): Promise<string> {
  const { decoder, tokenizer, vocabSize } = pairFlagsOf(name, flags);
  const { model, config } = flags;
  const starts = [model, decoder, config].filter((start) => start !== undefined);
  const wanted = '--model, --decoder or --config';
  if (starts.length !== 1) throw unexpected('INVALID_OPTION', `one of ${wanted} for ${name}`, starts.length === 0 ? 'none' : 'several');
  const stray = tokenizer !== undefined ? '--tokenizer' : vocabSize !== undefined ? '--vocab-size' : undefined;
  if (config === undefined && stray !== undefined) throw unexpected('INVALID_OPTION', `--config beside ${stray}`, 'none');
  if (model !== undefined) return model;
  if (decoder !== undefined) {
    const made = await decoderFrom(decoder, { directory: join(place.folder, 'start'), seed: place.seed });
    tellNew(made.newlyInitialized);
    return made.directory;
  }
  const fields = await configOf(config!, (size) => ({ model_type: 'bert', ...size }));
  return newModel(place, { ...fields, is_decoder: true }, { tokenizer, vocabSize }, textsOf(flags));
}

async function* textsOf({ train: file, column: names }: WriterFlags): AsyncGenerator<string> {
  const columns = new Columns(names);
  let index = 0;
  for await (const row of rowsOf(await openDataset(file))) {
    const isPair = (['prompt', 'completion'] as const).every((role) => columns.get(row, role) !== undefined);
    for (const role of isPair ? (['prompt', 'completion'] as const) : (['text'] as const)) yield columns.text(row, role, index);
    index++;
  }
}
