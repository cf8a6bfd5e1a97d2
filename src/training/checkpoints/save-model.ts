import { copyFile, mkdir, readdir } from 'node:fs/promises';
import path from 'node:path';
import { ioError, isMissing } from '../../checkpoint/files.js';
import type { JsonObject } from '../../checkpoint/json-fields.js';
import { narrowed, savedFormats, type SaveDtype } from '../../checkpoint/weights/narrow.js';
import { quotePath } from '../../checkpoint/describe.js';
import { replaceFile } from '../../checkpoint/replace-file.js';
import { safetensorsHead } from '../../checkpoint/safetensors/safetensors-writer.js';
import { moduleFile, readModules, transformerFolder } from '../../checkpoint/sentence/module-list.js';
import { withSharedNames } from './shared-names.js';
import { newSentenceFiles, type NewSentenceModel } from './sentence-files.js';

/** A tensor of a model, float32, read when it is written. */
export interface TensorToSave {
  readonly name: string;
  readonly shape: readonly number[];
  /** Row-major. */
  read(): Promise<Float32Array>;
}

/** What a saved directory holds: a whole model, or an adapter alone. */
export type ModelToSave = {
  readonly tensors: readonly TensorToSave[];
  /** config.json. Beside an adapter it tells its class and labels; peft and transformers pass over it there. */
  readonly config: JsonObject;
  /** What the numbers become. Default fp32. */
  readonly dtype?: SaveDtype | undefined;
} & (
  | {
      /** The directory that the model was loaded from: its tokenizer's files are copied, and with `keepsModules` sentence-transformers'. */
      readonly source: string;
      readonly keepsModules: boolean;
      /** Where the source has no such modules to keep. */
      readonly newModules?: NewSentenceModel | undefined;
      /** generation_config.json, where it is not the source's. */
      readonly generationConfig?: JsonObject | undefined;
    }
  | { readonly adapter: JsonObject }
);

const kTokenizerFiles = [
  'tokenizer.json',
  'tokenizer_config.json',
  'vocab.txt',
  'vocab.json',
  'merges.txt',
  'source.spm',
  'target.spm',
  'target_vocab.json',
  'spiece.model',
  'generation_config.json',
  'special_tokens_map.json',
  'added_tokens.json',
];
const kModuleFiles = ['modules.json', 'config_sentence_transformers.json'];
/** Tensors of a Dense module go to its own folder: their names begin with it. */
const kModuleTensor = /^(.+)\/([^/]+)$/;

/**
 * Writes a directory that Bertha, transformers, sentence-transformers and peft load: config.json and model.safetensors, or
 * adapter_config.json and adapter_model.safetensors; under transformers' names. Each file is replaced whole.
 *
 * Errors: IO.
 */
export async function saveModel(directory: string, model: ModelToSave): Promise<void> {
  const { dtype = 'fp32' } = model;
  if ('adapter' in model) {
    await writeTensors(path.join(directory, 'adapter_model.safetensors'), model.tensors, dtype);
    await writeJson(path.join(directory, 'adapter_config.json'), model.adapter);
    await writeJson(path.join(directory, 'config.json'), { ...model.config, dtype: savedFormats[dtype].name });
    return;
  }
  const modules = await readModules(model.source);
  const from = path.join(model.source, transformerFolder(modules));
  const folder = model.keepsModules ? path.join(directory, transformerFolder(modules)) : directory;
  await makeFolder(folder);
  const own = withSharedNames(model.tensors, model.config).filter(({ name }) => !kModuleTensor.test(name));
  await writeTensors(path.join(folder, 'model.safetensors'), own, dtype);
  await writeJson(path.join(folder, 'config.json'), { ...model.config, dtype: savedFormats[dtype].name });
  for (const name of kTokenizerFiles) await copyIfPresent(path.join(from, name), path.join(folder, name));
  if (model.generationConfig !== undefined) await writeJson(path.join(folder, 'generation_config.json'), model.generationConfig);
  if (!model.keepsModules) return;
  if (model.newModules !== undefined) {
    await makeNewModules(directory, model.newModules);
    return;
  }
  if (modules === undefined) return;

  for (const name of kModuleFiles) await copyIfPresent(path.join(model.source, name), path.join(directory, name));
  for (const entry of modules.entries) {
    const files = entry.kind === 'Transformer' ? await sentenceConfigs(from) : ['config.json'];
    if (entry.path !== '') await makeFolder(path.join(directory, entry.path));
    for (const name of files) {
      const file = moduleFile(entry, name);
      if (entry.path !== '' || entry.kind === 'Transformer') await copyIfPresent(path.join(model.source, file), path.join(directory, file));
    }
    const tensors = model.tensors.flatMap((tensor) => {
      const [, module, name] = kModuleTensor.exec(tensor.name) ?? [];
      return module === entry.path && name !== undefined ? [{ ...tensor, name }] : [];
    });
    if (tensors.length > 0) await writeTensors(path.join(directory, entry.path, 'model.safetensors'), tensors, dtype);
  }
}

async function makeNewModules(directory: string, modules: NewSentenceModel): Promise<void> {
  for (const [name, value] of newSentenceFiles(modules)) {
    const file = path.join(directory, name);
    await makeFolder(path.dirname(file));
    await writeJson(file, value);
  }
}

/** Numbers that are rounded in one turn of the event loop, a millisecond. */
const kNumbersAtOnce = 1 << 16;

/** Writes one tensor after the other, so that only one is in memory. */
async function writeTensors(file: string, tensors: readonly TensorToSave[], saved: SaveDtype): Promise<void> {
  const { dtype, bytes } = savedFormats[saved];
  const sorted = [...tensors].sort((a, b) => (a.name < b.name ? -1 : 1));
  const heads = sorted.map(({ name, shape }) => {
    const byteLength = shape.reduce((product, size) => product * size, bytes);
    return { name, shape, dtype, bytes: { byteLength } };
  });
  async function* chunks(): AsyncGenerator<Uint8Array> {
    yield safetensorsHead(heads, new Map([['format', 'pt']]));
    for (const tensor of sorted) {
      const values = await tensor.read();
      for (let begin = 0; begin < values.length; begin += kNumbersAtOnce) {
        yield narrowed(values.subarray(begin, begin + kNumbersAtOnce), saved, tensor.name);
      }
    }
  }
  await replaceFile(file, chunks());
}

async function writeJson(file: string, value: JsonObject | readonly JsonObject[]): Promise<void> {
  await replaceFile(file, [new TextEncoder().encode(`${JSON.stringify(value, undefined, 2)}\n`)]);
}

/** sentence_bert_config.json, whose name changed over the years. */
async function sentenceConfigs(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => /^sentence_\w+_config\.json$/.test(name));
}

async function makeFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true }).catch((error: unknown) => {
    throw ioError(`make the folder ${quotePath(folder)}`, error);
  });
}

async function copyIfPresent(from: string, to: string): Promise<void> {
  try {
    await copyFile(from, to);
  } catch (error) {
    const failure = ioError(`copy ${quotePath(from)} to ${quotePath(to)}`, error);
    if (!isMissing(failure)) throw failure;
  }
}
