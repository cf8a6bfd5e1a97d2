import type { ModelConfig, PartConfig } from '../../architectures/config.js';
import { unexpected } from '../../expected.js';
import { quote } from '../../checkpoint/describe.js';
import { storedName } from '../../checkpoint/safetensors/row-range.js';
import { toNativeProgram } from '../../models/program/native-program.js';
import type { Program } from '../../models/program/program.js';
import type { NativeTrainingProgram, NativeTrainingWeight, WeightKind } from '../../runtime/native.js';
import { decays } from './decay.js';
import type { AdaptedLayer } from '../lora/lora-builder.js';
import { isInModule, isTarget, type LoraSettings } from '../lora/lora.js';
import { neededOps } from './needed-ops.js';
import type { Losses } from './losses.js';
import type { LearnedTensors } from './training-tensors.js';

/** What of a model learns. */
export interface Trainable {
  /** Modules that stay as they are: 'embeddings', 'encoder.layer.0', … */
  readonly freeze?: readonly string[] | undefined;
  /** Learn biases and the head alone (Ben Zaken et al., 2021). */
  readonly bitfit?: boolean | undefined;
}

/** A tensor of transformers, and where in a weight its numbers lie. */
export interface TrainedPart {
  /** As transformers names it; a branch of LoRA as peft does, without `base_model.model.`. */
  readonly name: string;
  readonly shape: readonly number[];
  readonly rowBegin: number;
  readonly rows: number;
  readonly colBegin: number;
  readonly cols: number;
  readonly trainable: boolean;
  /** Of rows of a tensor: that tensor, and the first of them. */
  readonly rowsOf?: { readonly name: string; readonly shape: readonly number[]; readonly begin: number };
  /** No file has its values. */
  readonly isNew: boolean;
}

/** A weight of a program that learns. */
export interface TrainedWeight {
  readonly id: number;
  readonly kind: WeightKind;
  readonly rows: number;
  readonly cols: number;
  readonly parts: readonly TrainedPart[];
  readonly trainable: boolean;
  readonly decay: boolean;
  /** A row that the lookup gives no gradient. */
  readonly frozenRow?: number;
  /** The same numbers as this earlier weight: the decoder's, of the word embeddings. Its parts are those of the other. */
  readonly tiedTo?: number;
}

interface Context extends Trainable {
  readonly config: ModelConfig;
  readonly tensors: LearnedTensors;
  /** Tensors that never learn. */
  readonly fixed: RegExp | undefined;
  readonly lora: LoraSettings | undefined;
  readonly adapted: readonly AdaptedLayer[];
}

/** The weights of a program with what learns of them. Errors: INVALID_OPTION (a frozen module that there is not). */
export function trainedWeights(program: Program, context: Context): TrainedWeight[] {
  const learns = chooser(program, context);
  const first = new Map<string, number>();
  return program.weights.map((weight, id) => {
    const { name, kind, rows, cols } = weight;
    const branches = context.adapted.filter(({ a, b }) => a === id || b === id);
    const parts = branches.length > 0 ? branchParts(branches, id) : storedParts(weight, context.tensors, learns);
    const tiedTo = first.get(name);
    first.set(name, tiedTo ?? id);
    const frozenRow = paddingRow(name, halfOf(name, context.config));
    return {
      id,
      kind,
      rows,
      cols,
      parts,
      trainable: parts.some(({ trainable }) => trainable),
      decay: decays(parts[0]!.rowsOf?.name ?? parts[0]!.name),
      ...(frozenRow === undefined || kind !== 'table' ? {} : { frozenRow }),
      ...(tiedTo === undefined ? {} : { tiedTo }),
    };
  });
}

/** A, one for each layer, or B, of which a layer of several ranges of rows has as many parts. */
function branchParts(layers: readonly AdaptedLayer[], id: number): TrainedPart[] {
  const known = new Set<string>();
  return layers.flatMap(({ module, matrix, a, rankBegin, rowBegin, rows, cols, rank, rowsOf }) => {
    const learns = { trainable: true, isNew: true };
    if (id !== a) {
      const place = { shape: [rows, rank], rowBegin, rows, colBegin: rankBegin, cols: rank, ...learns };
      const name = `${module}.lora_B.weight`;
      if (rowsOf === undefined) return [{ name, ...place }];
      return [{ name: `${matrix}.lora_B.weight`, ...place, rowsOf: { name, shape: [rowsOf.total, rank], begin: rowsOf.begin } }];
    }
    if (known.has(module)) return [];
    known.add(module);
    return [{ name: `${module}.lora_A.weight`, shape: [rank, cols], rowBegin: rankBegin, rows: rank, colBegin: 0, cols, ...learns }];
  });
}

function storedParts(
  { kind, tensors: stored, places }: Program['weights'][number],
  tensors: LearnedTensors,
  learns: (name: string) => boolean,
): TrainedPart[] {
  let end = 0;
  return stored.map((tensor, i) => {
    const { name, shape, storedShape = shape, rowsOf } = tensor;
    const whole = storedName(tensor);
    const [length = 0, cols = 1] = shape;
    const begin = kind === 'vector' ? (places?.[i]?.colBegin ?? end) : end;
    const place =
      kind === 'vector' ? { rowBegin: 0, rows: 1, colBegin: begin, cols: length } : { rowBegin: begin, rows: length, colBegin: 0, cols };
    end = begin + length;
    const rows = rowsOf && { name: whole, shape: rowsOf.tensor.shape, begin: rowsOf.begin };
    return { name, shape: storedShape, ...place, trainable: learns(whole), ...(rows && { rowsOf: rows }), isNew: tensors.isNew(whole) };
  });
}

/** Whether a tensor learns, by its name. */
function chooser(program: Program, { freeze = [], bitfit = false, lora, tensors, fixed, config }: Context): (name: string) => boolean {
  const head = tensors.headModules();
  const names = program.weights.flatMap(({ tensors }) => tensors.map(storedName));
  for (const module of freeze) {
    if (names.some((name) => isInModule(name, [module]))) continue;
    throw unexpected('INVALID_OPTION', `modules of ${config.modelType} for freeze, such as "embeddings"`, quote(module));
  }
  return (name) => {
    if (isInModule(name, freeze) || fixed?.test(name) === true) return false;
    const isBias = name.endsWith('bias');
    if (lora === undefined) return !bitfit || isBias || isInModule(name, head);
    if (isInModule(name, lora.modulesToSave)) return true;
    if (!isBias || lora.bias === 'none') return false;
    return lora.bias === 'all' || lora.targetModules === 'all-linear' || isTarget(name.replace(/\.bias$/, ''), lora.targetModules);
  };
}

/** The half of an encoder-decoder whose table it is. */
function halfOf(name: string, config: ModelConfig): PartConfig {
  return name.startsWith('decoder.') ? (config.decoder ?? config) : config;
}

/** `padding_idx` of torch's lookups: MPNet's code has its own number, also for positions. */
function paddingRow(name: string, config: PartConfig): number | undefined {
  if (/(?:word_embeddings|tok_embeddings|embed_tokens|shared)\.weight$/.test(name)) return config.uncountedId ?? config.padTokenId;
  return name.endsWith('position_embeddings.weight') ? config.uncountedId : undefined;
}

/** Writes a part's numbers, row-major, into those of its weight. */
export function place(weight: Float32Array, cols: number, part: Omit<TrainedPart, 'name'>, values: Float32Array): void {
  for (let row = 0; row < part.rows; row++) {
    weight.set(values.subarray(row * part.cols, (row + 1) * part.cols), (part.rowBegin + row) * cols + part.colBegin);
  }
}

/** A part's numbers, row-major, from rows `rowBegin` on of its weight. */
export function take(weight: Float32Array, cols: number, part: Omit<TrainedPart, 'name'>, rowBegin = 0): Float32Array {
  const values = new Float32Array(part.rows * part.cols);
  for (let row = 0; row < part.rows; row++) {
    const begin = (part.rowBegin + row - rowBegin) * cols + part.colBegin;
    values.set(weight.subarray(begin, begin + part.cols), row * part.cols);
  }
  return values;
}

/** The program as native code learns with it: without ops that no loss needs. */
export function toNativeTraining(program: Program, weights: readonly TrainedWeight[], losses: Losses): NativeTrainingProgram {
  const native = toNativeProgram({ ...program, ops: neededOps(program.ops, losses.firstOp) });
  return {
    ...native,
    weights: native.weights.map((weight, id) => (weights[id]!.parts.some(({ isNew }) => isNew) ? { ...weight, parts: [] } : weight)),
    training: { weights: weights.map(toNativeWeight), sequencesPerGroup: losses.sequencesPerGroup },
  };
}

function toNativeWeight({ trainable, decay, frozenRow, tiedTo, parts, rows, cols }: TrainedWeight): NativeTrainingWeight {
  const learning = parts.filter((part) => part.trainable);
  const covered = learning.reduce((sum, part) => sum + part.rows * part.cols, 0);
  const blocks = learning.map(({ rowBegin, rows, colBegin, cols }) => ({ rowBegin, rows, colBegin, cols }));
  return {
    trainable,
    decay,
    ...(frozenRow === undefined ? {} : { frozenRow }),
    ...(tiedTo === undefined ? {} : { tiedTo }),
    ...(trainable && covered < rows * cols ? { blocks } : {}),
  };
}
