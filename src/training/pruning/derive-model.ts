import type { JsonObject } from '../../checkpoint/json-fields.js';
import { isWeightDtype, type TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import { requireNumbers } from '../../checkpoint/weights/row-scales.js';
import { openModelDirectory, type ModelDirectory } from '../../models/model-directory.js';
import { requireEncoder } from '../../models/require-encoder.js';
import type { SaveDtype } from '../../checkpoint/weights/narrow.js';
import { saveModel, type TensorToSave } from '../checkpoints/save-model.js';
import { namedByFolder } from '../sentence/modules.js';

/** What becomes of a model. */
export interface Derivation {
  /** Fields of config.json that are other ones. */
  readonly config?: (model: ModelDirectory) => JsonObject;
  /** A tensor as it will be; undefined leaves it out. Default: as it is. */
  readonly tensor?: (stored: TensorToSave) => TensorToSave | undefined;
  /** Gives an encoder without sentence modules mean pooling, as it is used for sentences. Default false. */
  readonly makesSentences?: boolean;
}

/**
 * Writes a model made of another: its tensors and configuration changed, tokenizer and sentence modules as they were. `folder` exists.
 * `derive` may refuse by throwing before anything is written.
 *
 * Errors: IO, CONFIG_UNSUPPORTED (a model that writes), those of `openModelDirectory` and of `derive`.
 */
export async function deriveModel(directory: string, folder: string, derive: (model: ModelDirectory) => Derivation): Promise<void> {
  const opened = await openModelDirectory(directory);
  try {
    requireNumbers(opened.tensors, 'a model made of it');
    requireEncoder(opened, 'a model made of it');
    const { config = () => ({}), tensor = (stored) => stored, makesSentences = false } = derive(opened);
    const stored = [...opened.tensors].flatMap(([name, info]) => (isWeightDtype(info.dtype) ? [toSave(name, info)] : []));
    const modules = namedByFolder(opened.sentenceTransformers)?.modules ?? [];
    const dense = modules.flatMap((module) =>
      module.type !== 'normalize' ? [...module.tensors].map(([own, info]) => ({ ...toSave(own, info), name: info.name })) : [],
    );
    await saveModel(folder, {
      source: opened.path,
      config: { ...opened.config.raw, ...config(opened) },
      tensors: [...stored.flatMap((each) => tensor(each) ?? []), ...dense],
      dtype: storedDtype(opened.tensors.values()),
      keepsModules: true,
      ...(makesSentences && opened.sentenceTransformers === undefined
        ? { newModules: { width: opened.config.hiddenSize, maxLength: opened.maxLength } }
        : {}),
    });
    await opened.verifyUnchanged();
  } finally {
    await opened.close();
  }
}

function toSave(name: string, { shape, file }: TensorInfo): TensorToSave {
  return { name, shape, read: () => file.readFloat32(name) };
}

/** 16 bits where all tensors have them. */
function storedDtype(tensors: Iterable<TensorInfo>): SaveDtype {
  const dtypes = new Set(Array.from(tensors, ({ dtype }) => dtype));
  if (dtypes.size !== 1) return 'fp32';
  return dtypes.has('F16') ? 'fp16' : dtypes.has('BF16') ? 'bf16' : 'fp32';
}
