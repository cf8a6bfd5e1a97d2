import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { describe, quote, quotePath } from '../describe.js';
import { isMissing, readTextFile, resolveInside } from '../files.js';
import { JsonFields, parseJsonObject } from '../json-fields.js';
import { MODEL_LIMITS, SafetensorsFile, type TensorInfo } from '../safetensors/safetensors.js';
import { openTorchFile } from '../torch/torch-file.js';
import { withRowScales } from './row-scales.js';
import type { TensorFile } from './tensor-file.js';

/** The open files that hold a model's weights, and all their tensors. */
export interface WeightFiles {
  readonly files: readonly TensorFile[];
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

/** A file of weights, and the index of its shards that may stand in its place. */
export interface WeightNames {
  readonly file: string;
  readonly index: string;
}

/** A format of weights, and how its files are named. */
interface WeightFormat extends WeightNames {
  readonly extension: string;
  open(path: string): Promise<WeightFiles>;
}

/** In the order in which they are looked for. */
const formats: readonly [WeightFormat, WeightFormat] = [
  { file: 'model.safetensors', index: 'model.safetensors.index.json', extension: '.safetensors', open: openSafetensors },
  { file: 'pytorch_model.bin', index: 'pytorch_model.bin.index.json', extension: '.bin', open: openTorchFile },
];
/** The same, for whoever fetches them. */
export const WEIGHT_FILES: readonly [WeightNames, WeightNames] = formats;

const kMaxIndexBytes = 64 << 20;
/** Each shard keeps a file descriptor open; BERTs come in one file, the largest published models in about 200. */
const kMaxShards = 512;
/** Pickle files a trainer leaves beside a model; they hold no weights. */
const TRAINER_FILES = /^(training_args|optimizer|scheduler|scaler|rng_state.*)\.(bin|pt|pth)$/;
/** What torch.save writes for people who name files themselves. */
const CHECKPOINT_FILES = /\.(bin|pt|pth|ckpt)$/;
const SHARD_FILES = /-\d+-of-\d+\.\w+$/;
const PICKLE_FILES = /\.(bin|pt|pth|ckpt|pkl)$/;

/**
 * Opens `folder`'s model.safetensors, or, where there is none, the shards of model.safetensors.index.json; where there are neither, pytorch_model.bin or
 * its shards, of which nothing but tensors is read;
 * where there are none of these either, the only other *.bin, *.pt, *.pth or *.ckpt. Shard names must stay inside `root`, the model directory.
 *
 * Errors: MODEL_NOT_FOUND, UNSAFE_FORMAT, WEIGHTS, INDEX, INDEX_PATH, IO, those of `parseSafetensorsHeader` and of `withRowScales`.
 */
export async function openWeightFiles(folder: string, root: string): Promise<WeightFiles> {
  for (const format of formats) {
    const single = await openIfThere(path.join(folder, format.file), format);
    if (single !== undefined) return withScales(single);
    const index = await readTextFile(path.join(folder, format.index), kMaxIndexBytes, 'INDEX');
    if (index !== undefined) return withScales(await openShards(folder, root, format, parseWeightMap(index, format.index)));
  }
  const other = await otherCheckpoint(folder);
  const opened = other === undefined ? undefined : await openIfThere(other, formats[1]);
  if (opened !== undefined) return withScales(opened);
  throw await noWeights(folder);
}

/** The only file of torch.save with another name. */
async function otherCheckpoint(folder: string): Promise<string | undefined> {
  const names = await readdir(folder).catch(() => []);
  const [name, ...others] = otherPickles(names).filter((each) => CHECKPOINT_FILES.test(each) && !SHARD_FILES.test(each));
  return name === undefined || others.length > 0 ? undefined : path.join(folder, name);
}

function otherPickles(names: readonly string[]): readonly string[] {
  return names.filter((name) => PICKLE_FILES.test(name) && !TRAINER_FILES.test(name) && !isOpenVino(name, names));
}

async function openSafetensors(file: string): Promise<WeightFiles> {
  const opened = await SafetensorsFile.open(file, MODEL_LIMITS);
  return { files: [opened], tensors: opened.tensors };
}

async function openIfThere(file: string, format: WeightFormat): Promise<WeightFiles | undefined> {
  try {
    return await format.open(file);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

async function withScales({ files, tensors }: WeightFiles): Promise<WeightFiles> {
  try {
    return { files, tensors: withRowScales(tensors) };
  } catch (error) {
    for (const file of files) await file.close();
    throw error;
  }
}

/** The shards that an index file names, in its order; whoever opens them checks where they lie. Errors: INDEX, IO. */
export async function readShardNames(indexFile: string): Promise<readonly string[]> {
  const text = await readTextFile(indexFile, kMaxIndexBytes, 'INDEX');
  return text === undefined ? [] : [...new Set(parseWeightMap(text, path.basename(indexFile)).values())];
}

/** Tensor name → shard name, both as the index has them. */
function parseWeightMap(text: string, indexFile: string): ReadonlyMap<string, string> {
  const fields = new JsonFields(parseJsonObject(text, indexFile, 'INDEX'), indexFile, 'INDEX');
  const weightMap = fields.object('weight_map');
  if (weightMap === undefined) throw fields.error('weight_map', 'an object', undefined);
  const shards = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(weightMap)) {
    if (typeof shard !== 'string') throw unexpected('INDEX', `a file name for tensor ${quote(tensor)} of ${indexFile}`, describe(shard));
    shards.set(tensor, shard);
  }
  const count = new Set(shards.values()).size;
  if (count === 0 || count > kMaxShards) throw unexpected('INDEX', `1..${kMaxShards} shards in ${indexFile}`, count);
  return shards;
}

async function openShards(
  folder: string,
  root: string,
  format: WeightFormat,
  weightMap: ReadonlyMap<string, string>,
): Promise<WeightFiles> {
  const files: TensorFile[] = [];
  const tensors = new Map<string, TensorInfo>();
  const shardOf = new Map<string, string>();
  try {
    for (const shard of new Set(weightMap.values())) {
      const opened = await openShard(folder, root, format, shard);
      files.push(...opened.files);
      for (const [name, tensor] of opened.tensors) {
        const other = shardOf.get(name);
        if (other !== undefined)
          throw unexpected('INDEX', `tensor ${quote(name)} in one shard`, `it in ${quote(other)} and ${quote(shard)}`);
        shardOf.set(name, shard);
        tensors.set(name, tensor);
      }
    }
    for (const [name, shard] of weightMap) {
      if (shardOf.get(name) !== shard) {
        throw unexpected('INDEX', `tensor ${quote(name)} in ${quote(shard)}, as ${format.index} says,`, 'a shard without it');
      }
    }
    return { files, tensors };
  } catch (error) {
    for (const file of files) await file.close();
    throw error;
  }
}

async function openShard(folder: string, root: string, { index, extension, open }: WeightFormat, shard: string): Promise<WeightFiles> {
  const file = await resolveInside(folder, shard, index, root);
  if (!shard.endsWith(extension)) throw unexpected('INDEX', `shards named *${extension} in ${index}`, quote(shard));
  try {
    return await open(file);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw unexpected('INDEX', `the shard ${quote(shard)} that ${index} names`, 'no such file', { cause: error });
  }
}

/** OpenVINO's weights are a .bin as well, beside an .xml of the same name. */
function isOpenVino(name: string, names: readonly string[]): boolean {
  return /^openvino_.*\.bin$/.test(name) || (name.endsWith('.bin') && names.includes(name.replace(/bin$/, 'xml')));
}

async function noWeights(folder: string): Promise<BerthaError> {
  const names = await readdir(folder).catch(() => []);
  const others = otherPickles(names);
  const wanted = `${WEIGHT_FILES.flatMap(({ file, index }) => [file, index]).join(', ')} in ${quotePath(folder)}`;
  if (others.length > 0) {
    const got = others.slice(0, 5).map(quote).join(', ');
    return unexpected('MODEL_NOT_FOUND', wanted, got, {
      hint: 'The only *.bin, *.pt, *.pth or *.ckpt of a folder is read; of several one must be called pytorch_model.bin.',
    });
  }
  return unexpected('MODEL_NOT_FOUND', wanted, names.length === 0 ? 'an empty directory' : names.slice(0, 20).map(quote).join(', '));
}
