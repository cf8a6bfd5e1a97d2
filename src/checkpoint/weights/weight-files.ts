import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { describe, quote, quotePath } from '../describe.js';
import { isMissing, readTextFile, resolveInside } from '../files.js';
import { JsonFields, parseJsonObject } from '../json-fields.js';
import { MODEL_LIMITS, SafetensorsFile, type TensorInfo } from '../safetensors/safetensors.js';
import { withRowScales } from './row-scales.js';

/** The open files that hold a model's weights, and all their tensors. */
export interface WeightFiles {
  readonly files: readonly SafetensorsFile[];
  readonly tensors: ReadonlyMap<string, TensorInfo>;
}

const SINGLE_FILE = 'model.safetensors';
const INDEX_FILE = 'model.safetensors.index.json';
const kMaxIndexBytes = 64 << 20;
/** Each shard keeps a file descriptor open; BERTs come in one file, the largest published models in about 200. */
const kMaxShards = 512;
/** Pickle files a trainer leaves beside a model; they hold no weights. */
const TRAINER_FILES = /^(training_args|optimizer|scheduler|scaler|rng_state.*)\.(bin|pt|pth)$/;
const PICKLE_FILES = /\.(bin|pt|pth|ckpt|pkl)$/;

/**
 * Opens `folder`'s model.safetensors, or, where there is none, the shards of model.safetensors.index.json. Shard names must stay
 * inside `root`, the model directory.
 *
 * Errors: MODEL_NOT_FOUND, UNSAFE_FORMAT, INDEX, INDEX_PATH, IO, those of `parseSafetensorsHeader` and of `withRowScales`.
 */
export async function openWeightFiles(folder: string, root: string): Promise<WeightFiles> {
  const file = await openIfThere(path.join(folder, SINGLE_FILE));
  if (file !== undefined) {
    try {
      return { files: [file], tensors: withRowScales(file.tensors) };
    } catch (error) {
      await file.close();
      throw error;
    }
  }
  const index = await readTextFile(path.join(folder, INDEX_FILE), kMaxIndexBytes, 'INDEX');
  if (index === undefined) throw await noWeights(folder);
  return openShards(folder, root, parseWeightMap(index));
}

async function openIfThere(file: string): Promise<SafetensorsFile | undefined> {
  try {
    return await SafetensorsFile.open(file, MODEL_LIMITS);
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
}

/** The shards that an index file names, in its order; whoever opens them checks where they lie. Errors: INDEX, IO. */
export async function readShardNames(indexFile: string): Promise<readonly string[]> {
  const text = await readTextFile(indexFile, kMaxIndexBytes, 'INDEX');
  return text === undefined ? [] : [...new Set(parseWeightMap(text).values())];
}

/** Tensor name → shard name, both as the index has them. */
function parseWeightMap(text: string): ReadonlyMap<string, string> {
  const fields = new JsonFields(parseJsonObject(text, INDEX_FILE, 'INDEX'), INDEX_FILE, 'INDEX');
  const weightMap = fields.object('weight_map');
  if (weightMap === undefined) throw fields.error('weight_map', 'an object', undefined);
  const shards = new Map<string, string>();
  for (const [tensor, shard] of Object.entries(weightMap)) {
    if (typeof shard !== 'string') throw unexpected('INDEX', `a file name for tensor ${quote(tensor)} of ${INDEX_FILE}`, describe(shard));
    shards.set(tensor, shard);
  }
  const count = new Set(shards.values()).size;
  if (count === 0 || count > kMaxShards) throw unexpected('INDEX', `1..${kMaxShards} shards in ${INDEX_FILE}`, count);
  return shards;
}

async function openShards(folder: string, root: string, weightMap: ReadonlyMap<string, string>): Promise<WeightFiles> {
  const files: SafetensorsFile[] = [];
  const tensors = new Map<string, TensorInfo>();
  const shardOf = new Map<string, string>();
  try {
    for (const shard of new Set(weightMap.values())) {
      const file = await openShard(folder, root, shard);
      files.push(file);
      for (const [name, tensor] of file.tensors) {
        const other = shardOf.get(name);
        if (other !== undefined)
          throw unexpected('INDEX', `tensor ${quote(name)} in one shard`, `it in ${quote(other)} and ${quote(shard)}`);
        shardOf.set(name, shard);
        tensors.set(name, tensor);
      }
    }
    for (const [name, shard] of weightMap) {
      if (shardOf.get(name) !== shard) {
        throw unexpected('INDEX', `tensor ${quote(name)} in ${quote(shard)}, as ${INDEX_FILE} says,`, 'a shard without it');
      }
    }
    return { files, tensors: withRowScales(tensors) };
  } catch (error) {
    for (const file of files) await file.close();
    throw error;
  }
}

async function openShard(folder: string, root: string, shard: string): Promise<SafetensorsFile> {
  const file = await resolveInside(folder, shard, INDEX_FILE, root);
  if (!shard.endsWith('.safetensors')) throw unexpected('INDEX', `shards named *.safetensors in ${INDEX_FILE}`, quote(shard));
  try {
    return await SafetensorsFile.open(file, MODEL_LIMITS);
  } catch (error) {
    if (!isMissing(error)) throw error;
    throw unexpected('INDEX', `the shard ${quote(shard)} that ${INDEX_FILE} names`, 'no such file', { cause: error });
  }
}

/** OpenVINO's weights are a .bin as well, beside an .xml of the same name. */
function isOpenVino(name: string, names: readonly string[]): boolean {
  return /^openvino_.*\.bin$/.test(name) || (name.endsWith('.bin') && names.includes(name.replace(/bin$/, 'xml')));
}

async function noWeights(folder: string): Promise<BerthaError> {
  const names = await readdir(folder).catch(() => []);
  const pickles = names.filter((name) => PICKLE_FILES.test(name) && !TRAINER_FILES.test(name) && !isOpenVino(name, names));
  if (pickles.length === 0) {
    const present = names.length === 0 ? 'an empty directory' : names.slice(0, 20).map(quote).join(', ');
    return unexpected('MODEL_NOT_FOUND', `${SINGLE_FILE} or ${INDEX_FILE} in ${quotePath(folder)}`, present);
  }
  return unexpected(
    'UNSAFE_FORMAT',
    `${SINGLE_FILE} in ${quotePath(folder)}`,
    `${pickles.slice(0, 5).map(quote).join(', ')}: loading a pickle can run any code, so Bertha never does`,
    {
      hint: `To convert it, in a place where you trust the file: python -c "import torch; from safetensors.torch import save_file; w = torch.load('${pickles[0]}', map_location='cpu', weights_only=True); save_file({k: v.contiguous().clone() for k, v in w.items()}, '${SINGLE_FILE}')" (pip install torch safetensors)`,
    },
  );
}
