import type { TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import { buildModel } from '../../models/build-model.js';
import { chooseBackend } from '../../models/load-session.js';
import { Model } from '../../models/model.js';
import { maxLength, type ModelDirectory } from '../../models/model-directory.js';
import type { Program, WeightSpec } from '../../models/program/program.js';
import { readOptions } from '../../options.js';
import { parseDevice, type DeviceOption } from '../../runtime/options/device.js';
import { parsePrecision, type PrecisionOption } from '../../runtime/options/precision.js';
import type { NativeLivePart, NativeSnapshot } from '../../runtime/native.js';
import { createTokenizer } from '../../architectures/create-tokenizer.js';
import { namedByFolder } from '../sentence/modules.js';
import { loraScale } from '../lora/lora.js';
import type { TrainerSession } from '../native/trainer-session.js';
import type { TrainingModel } from './build-training.js';

/** How a snapshot computes; as in `loadModel`. */
export interface SnapshotOptions {
  /** Default 'fp32'. */
  readonly precision?: PrecisionOption | undefined;
  /** Default 'cpu'. */
  readonly device?: DeviceOption | undefined;
}

const schema = { precision: parsePrecision, device: parseDevice };

/** What learns, where it came from, and whether its saved files keep the modules of sentence-transformers. */
export interface SnapshotSource {
  readonly directory: ModelDirectory;
  readonly training: TrainingModel;
  readonly session: TrainerSession;
  readonly keepsModules: boolean;
}

/**
 * A model with a copy of the weights as they are now, with the branches of LoRA added: what `loadModel` would make of the saved files, without
 * files.
 *
 * Errors: INVALID_OPTION, DEVICE, PRECISION, NON_FINITE, OUT_OF_MEMORY, DISPOSED.
 */
export async function snapshotModel(source: SnapshotSource, options: SnapshotOptions = {}): Promise<Model> {
  const settings = readOptions('snapshot', options, schema);
  const directory = asSaved(source);
  const built = buildModel(directory, { heads: true });
  const { device, precision } = await chooseBackend(built.program, settings);
  const native = toNativeSnapshot(built.program, source.training, { device: device.chosen, precision: precision.chosen });
  const session = await source.session.snapshot(native);
  const tokenizer = createTokenizer(directory.tokenizerFiles, {
    maxLength: directory.maxLength,
    maxPositions: directory.config.maxSequenceLength,
  });
  return new Model(directory, built, tokenizer, { session, precision, device });
}

/** The directory that saving would make: no file has its tensors. */
function asSaved({ directory, training, keepsModules }: SnapshotSource): ModelDirectory {
  const { path, tokenizerFiles, generationConfig, sentenceTransformers } = directory;
  const { config, weights, adapted } = training;
  const branches = new Set(adapted.flatMap(({ a, b }) => [a, b]));
  const [placeholder] = directory.tensors.values();
  const tensors = new Map<string, TensorInfo>();
  for (const { id, tiedTo, parts } of weights) {
    if (tiedTo !== undefined || branches.has(id)) continue;
    // Those of a module, with a folder in their names, are found through the modules.
    for (const part of parts.filter(({ name }) => !name.includes('/'))) {
      const { name, shape } = part.rowsOf ?? part;
      tensors.set(name, { ...placeholder!, name, shape, dtype: 'F32', byteLength: 0 });
    }
  }
  return {
    path,
    config,
    tensors,
    tokenizerFiles,
    ...(generationConfig && { generationConfig }),
    maxLength: keepsModules ? Math.min(directory.maxLength, config.maxSequenceLength) : maxLength(config, tokenizerFiles),
    ...(keepsModules && sentenceTransformers !== undefined ? { sentenceTransformers: namedByFolder(sentenceTransformers) } : {}),
    verifyUnchanged: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

function toNativeSnapshot(
  program: Program,
  { weights, adapted, lora }: TrainingModel,
  where: Pick<NativeSnapshot, 'device' | 'precision'>,
): NativeSnapshot {
  const places = new Map<string, NativeLivePart>();
  for (const { id, kind, tiedTo, parts } of weights) {
    if (tiedTo !== undefined) continue;
    for (const { name, rowBegin, rows, colBegin, cols } of parts) {
      const place = kind === 'vector' ? { begin: colBegin, count: cols } : { begin: rowBegin, count: rows };
      places.set(name, { weight: id, ...place });
    }
  }
  for (const { matrix, a, b, rankBegin, rank, rowBegin } of adapted) {
    const branch = { a, b, rankBegin, rank, rowBegin, scale: loraScale(lora!) };
    places.set(matrix, { ...places.get(matrix)!, branch });
  }
  const partsOf = ({ kind, cols, tensors, places: gaps }: WeightSpec): NativeLivePart[] => {
    const parts = tensors.map((tensor) => places.get(tensor.name)!);
    // Zeros between a vector's values are zeros of the one that learns.
    return kind === 'vector' && gaps !== undefined ? [{ weight: parts[0]!.weight, begin: 0, count: cols }] : parts;
  };
  return {
    ...program,
    ...where,
    weights: program.weights.map((weight) => {
      const { name, kind, rows, cols } = weight;
      return { name, kind, rows, cols, parts: partsOf(weight) };
    }),
  };
}
