import path from 'node:path';
import { unexpected } from '../../expected.js';
import { quote, quotePath } from '../describe.js';
import { isMissing } from '../files.js';
import { isWeightDtype, MODEL_LIMITS, SafetensorsFile, type TensorInfo } from '../safetensors/safetensors.js';
import { openTorchFile } from '../torch/torch-file.js';
import type { WeightFiles } from '../weights/weight-files.js';
import { readAdapterConfig, type AdapterConfig } from './adapter-config.js';

/** What LoRA adds to a linear layer: y += scale · B A x. */
export interface LowRankBranch {
  /** A, [rank, in]. */
  readonly down: TensorInfo;
  /** B, [out, rank]. */
  readonly up: TensorInfo;
  readonly scale: number;
}

/** An open adapter: its weights are still in their file. */
export interface Adapter {
  /** By the names of the matrices, as the base stores them. */
  readonly branches: ReadonlyMap<string, LowRankBranch>;
  /** Tensors that the adapter saved whole, such as its head, under the names that the base has for them. */
  readonly saved: ReadonlyMap<string, TensorInfo>;
  /** The class of transformers that it is for: its name, or the end of it. */
  readonly className: string | undefined;
  readonly classSuffix: string | undefined;
  /** Requires that the file has not changed since it was opened. Errors: IO, DISPOSED. */
  verifyUnchanged(): Promise<void>;
  close(): Promise<void>;
}

/** The model that an adapter is put on. */
export interface AdapterBase {
  readonly path: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  /** The family's, `bert.`, of which names of the base may have any, or none. */
  readonly prefixes: readonly string[];
}

const WEIGHTS_FILE = 'adapter_model.safetensors';
/** peft's name of it before there were safetensors: read where that is not there, as tensors and nothing else. */
const TORCH_FILE = 'adapter_model.bin';
const kPrefix = 'base_model.model.';
const kClassSuffixes: ReadonlyMap<string | undefined, string> = new Map([
  ['SEQ_CLS', 'ForSequenceClassification'],
  ['TOKEN_CLS', 'ForTokenClassification'],
  ['QUESTION_ANS', 'ForQuestionAnswering'],
]);

/**
 * Opens a LoRA adapter of peft and finds the tensors of the base that it changes.
 *
 * Errors: those of `readAdapterConfig`, CONFIG_UNSUPPORTED (branches of other layers than linear ones), MODEL_MISMATCH (an adapter of another base; both
 * are named), DTYPE_UNSUPPORTED, those of a safetensors header, and UNSAFE_FORMAT and WEIGHTS of adapter_model.bin.
 */
export async function openAdapter(folder: string, base: AdapterBase): Promise<Adapter> {
  const config = await readAdapterConfig(folder);
  const { files, tensors } = await openWeights(folder);
  const close = async (): Promise<void> => {
    for (const file of files) await file.close();
  };
  try {
    return {
      ...readTensors(tensors, config, folder, base),
      className: config.className,
      classSuffix: kClassSuffixes.get(config.taskType),
      verifyUnchanged: async () => {
        for (const file of files) await file.verifyUnchanged();
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

async function openWeights(folder: string): Promise<WeightFiles> {
  try {
    const file = await SafetensorsFile.open(path.join(folder, WEIGHTS_FILE), MODEL_LIMITS);
    return { files: [file], tensors: file.tensors };
  } catch (error) {
    if (!isMissing(error)) throw error;
    return openTorchFile(path.join(folder, TORCH_FILE)).catch((other: unknown) => {
      throw isMissing(other) ? error : other;
    });
  }
}

function readTensors(
  tensors: ReadonlyMap<string, TensorInfo>,
  config: AdapterConfig,
  folder: string,
  base: AdapterBase,
): Pick<Adapter, 'branches' | 'saved'> {
  const branches = new Map<string, LowRankBranch>();
  const saved = new Map<string, TensorInfo>();
  const mismatch = (expected: string, got: string) => {
    const trained = config.base === '' ? 'a model that it does not name' : quote(config.base);
    return unexpected(
      'MODEL_MISMATCH',
      `${expected} in the base model ${quotePath(base.path)}`,
      `${got}: the adapter ${quotePath(folder)} was trained on ${trained}`,
    );
  };
  for (const [key, tensor] of tensors) {
    const name = key.startsWith(kPrefix) ? key.slice(kPrefix.length) : key;
    if (name.endsWith('.lora_B.weight')) continue;
    if (!isWeightDtype(tensor.dtype)) throw unexpected('DTYPE_UNSUPPORTED', `floating-point numbers for ${quote(key)}`, tensor.dtype);
    if (!name.endsWith('.lora_A.weight')) {
      if (/\.(lora_|token_adapter)/.test(name)) {
        throw unexpected('CONFIG_UNSUPPORTED', 'lora_A and lora_B of linear layers in the adapter', quote(key));
      }
      const stored = storedName(base, name.replace('.base_layer.', '.'));
      saved.set(stored, { ...tensor, name: stored });
      continue;
    }
    const module = name.slice(0, -'.lora_A.weight'.length);
    const up = tensors.get(key.replace(/lora_A\.weight$/, 'lora_B.weight'));
    if (up === undefined) throw unexpected('MODEL_MISMATCH', `lora_B beside ${quote(key)} in the adapter`, 'none');
    const stored = storedName(base, `${module}.weight`);
    const weight = base.tensors.get(stored);
    if (weight === undefined) throw mismatch(quote(stored), 'none');
    const [rank = 0, cols = 0] = tensor.shape;
    const [rows = 0, rankOfB = 0] = up.shape;
    if (
      rank < 1 ||
      tensor.shape.length !== 2 ||
      rankOfB !== rank ||
      up.dtype !== tensor.dtype ||
      weight.shape[0] !== rows ||
      weight.shape[1] !== cols
    ) {
      throw mismatch(`${quote(stored)} [${rows}, ${cols}]`, `[${weight.shape.join(', ')}]`);
    }
    branches.set(stored, { down: tensor, up, scale: config.scaleOf(module, rank) });
  }
  return { branches, saved };
}

/** What the base calls a tensor, with the family's prefix or without. */
function storedName({ tensors, prefixes }: AdapterBase, name: string): string {
  const own = prefixes.find((prefix) => name.startsWith(prefix)) ?? '';
  const spellings = [name, ...['', ...prefixes].map((prefix) => prefix + name.slice(own.length))];
  return spellings.find((each) => tensors.has(each)) ?? name;
}
