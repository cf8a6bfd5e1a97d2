import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { unexpected } from '../../expected.js';
import { quote, quotePath } from '../describe.js';
import { ioError } from '../files.js';
import { MODEL_LIMITS, SafetensorsFile, writeSafetensors, type TensorInfo, type TensorToWrite } from '../safetensors/safetensors.js';
import { readAdapterConfig, type AdapterConfig } from './adapter-config.js';
import { mergeBranch } from './merge-branch.js';

/** A model's tensors with an adapter in them. */
export interface MergedAdapter {
  /** The base's, those that the adapter changes or brings along replaced. */
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The class of transformers that the adapter is for ends so, where its task says one. */
  readonly classSuffix: string | undefined;
  /** Closes and removes the file of merged matrices. */
  close(): Promise<void>;
}

const WEIGHTS_FILE = 'adapter_model.safetensors';
const kPrefix = 'base_model.model.';
const kClassSuffixes: ReadonlyMap<string | undefined, string> = new Map([
  ['SEQ_CLS', 'ForSequenceClassification'],
  ['TOKEN_CLS', 'ForTokenClassification'],
  ['QUESTION_ANS', 'ForQuestionAnswering'],
]);

/**
 * Merges a LoRA adapter of peft into a model's tensors: W + scale · B A in float64, and the modules that the adapter saved whole. What changes goes to
 * a temporary file, from which native threads read it like any other. `prefix` is the family's (`bert.`), which names of the base may lack.
 *
 * Errors: those of `readAdapterConfig`, MODEL_MISMATCH (an adapter of another base; both are named), IO, those of a safetensors header.
 */
export async function mergeAdapter(
  base: { readonly path: string; readonly tensors: ReadonlyMap<string, TensorInfo> },
  folder: string,
  prefix: string,
): Promise<MergedAdapter> {
  const config = await readAdapterConfig(folder);
  const file = await SafetensorsFile.open(path.join(folder, WEIGHTS_FILE), MODEL_LIMITS);
  try {
    const changed = await changedTensors(base, file, config, folder, prefix);
    await file.verifyUnchanged();
    const temporary = await mkdtemp(path.join(tmpdir(), 'bertha-adapter-')).catch((error: unknown) => {
      throw ioError('make a temporary folder for the merged adapter', error);
    });
    try {
      const merged = path.join(temporary, 'merged.safetensors');
      await writeSafetensors(merged, changed);
      const opened = await SafetensorsFile.open(merged, MODEL_LIMITS);
      const close = async (): Promise<void> => {
        await opened.close();
        await rm(temporary, { recursive: true, force: true });
      };
      return { tensors: new Map([...base.tensors, ...opened.tensors]), classSuffix: kClassSuffixes.get(config.taskType), close };
    } catch (error) {
      await rm(temporary, { recursive: true, force: true });
      throw error;
    }
  } finally {
    await file.close();
  }
}

async function changedTensors(
  base: { readonly path: string; readonly tensors: ReadonlyMap<string, TensorInfo> },
  file: SafetensorsFile,
  config: AdapterConfig,
  folder: string,
  prefix: string,
): Promise<TensorToWrite[]> {
  const storedName = (name: string): string =>
    [name, prefix + name, name.startsWith(prefix) ? name.slice(prefix.length) : name].find((each) => base.tensors.has(each)) ?? name;
  const mismatch = (expected: string, got: string) => {
    const trained = config.base === '' ? 'a model that it does not name' : quote(config.base);
    return unexpected(
      'MODEL_MISMATCH',
      `${expected} in the base model ${quotePath(base.path)}`,
      `${got}: the adapter ${quotePath(folder)} was trained on ${trained}`,
    );
  };
  const changed: TensorToWrite[] = [];
  for (const [key, tensor] of file.tensors) {
    const name = key.startsWith(kPrefix) ? key.slice(kPrefix.length) : key;
    if (name.endsWith('.lora_B.weight')) continue;
    if (!name.endsWith('.lora_A.weight')) {
      if (name.includes('.lora_'))
        throw unexpected('CONFIG_UNSUPPORTED', `lora_A and lora_B of linear layers in ${WEIGHTS_FILE}`, quote(key));
      const stored = storedName(name.replace('.base_layer.', '.'));
      changed.push(floats(stored, tensor.shape, await file.readFloat32(key)));
      continue;
    }
    const module = name.slice(0, -'.lora_A.weight'.length);
    const up = file.tensors.get(key.replace(/lora_A\.weight$/, 'lora_B.weight'));
    if (up === undefined) throw unexpected('MODEL_MISMATCH', `lora_B beside ${quote(key)} in ${WEIGHTS_FILE}`, 'none');
    const stored = storedName(`${module}.weight`);
    const weight = base.tensors.get(stored);
    if (weight === undefined) throw mismatch(quote(stored), 'none');
    const [rank = 0, cols = 0] = tensor.shape;
    const [rows = 0, rankOfB = 0] = up.shape;
    if (rank < 1 || rankOfB !== rank || weight.shape[0] !== rows || weight.shape[1] !== cols) {
      throw mismatch(`${quote(stored)} [${rows}, ${cols}]`, `[${weight.shape.join(', ')}]`);
    }
    const values = [await weight.file.readFloat32(weight.name), await file.readFloat32(key), await file.readFloat32(up.name)] as const;
    changed.push(floats(stored, weight.shape, mergeBranch(...values, rank, config.scaleOf(module, rank))));
  }
  return changed;
}

function floats(name: string, shape: readonly number[], values: Float32Array): TensorToWrite {
  return { name, dtype: 'F32', shape, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) };
}
