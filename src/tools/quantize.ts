import path from 'node:path';
import { checkCalibration, openCalibration, type Calibration } from '../checkpoint/calibration.js';
import { quotePath } from '../checkpoint/describe.js';
import { replaceFile } from '../checkpoint/replace-file.js';
import { dtypeBits } from '../checkpoint/safetensors/dtype.js';
import { isWeightDtype, type TensorInfo } from '../checkpoint/safetensors/safetensors.js';
import { safetensorsHead, type TensorHead } from '../checkpoint/safetensors/safetensors-writer.js';
import { readModules, transformerFolder } from '../checkpoint/sentence/module-list.js';
import { copyWithoutWeights } from '../checkpoint/weights/copy-without-weights.js';
import { narrowed, savedFormats } from '../checkpoint/weights/narrow.js';
import { CALIBRATION_KEY, codesOf, INPUT_SCALE, requireNumbers, ROW_SCALE, rowScales } from '../checkpoint/weights/row-scales.js';
import { unexpected, wrongOption } from '../expected.js';
import { filePath, type FilePath } from '../file-path.js';
import { readModelPath, resolveModel, type ModelPath } from '../hub/index.js';
import { buildModel, requireEncoder } from '../models/index.js';
import { integerWeights } from '../models/program/integer-weights.js';
import { smoothableLinears, withInputScales } from '../models/program/smoothing.js';
import { openModelDirectory, type ModelDirectory } from '../models/model-directory.js';
import { oneOf, readOptions } from '../options.js';

const dtypes = ['fp16', 'bf16', 'int8'] as const;

/** Number formats that `quantizeModel` writes weights in. */
export type QuantizedDtype = (typeof dtypes)[number];

/** How `quantizeModel` rounds. */
export interface QuantizeModelOptions {
  /**
   * `fp16` and `bf16`: all weights in 16 bits, which every precision and other libraries read. `int8`: matrices and the word table in 8 bits with a scale for
   * each row; they are computed in int8 alone.
   */
  readonly dtype: QuantizedDtype;
}

/** What `quantizeModel` has written. */
export interface QuantizeReport {
  /** The new model directory. */
  readonly path: string;
  /** Of the weights' file, in bytes. */
  readonly bytes: number;
  /** Of the weights' files before. */
  readonly bytesBefore: number;
  /** int8: names of the matrices and tables that are integers now. */
  readonly integers: readonly string[];
  /** int8: the texts whose calibration is folded into the integers; absent where the model has none. */
  readonly calibration?: string;
}

/** A tensor as it will be. */
interface Planned {
  readonly head: TensorHead;
  chunks(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

/** Numbers that are rounded in one turn of the event loop. */
const kNumbersAtOnce = 1 << 16;

/**
 * Writes a copy of a model directory with weights in fewer bytes. In int8 the rows of the encoder's matrices are rounded as precision int8 rounds them when it
 * loads float weights, a calibration folded in, so that results are the same bits but for the word table, whose rows are rounded as well. docs/precision.md
 * has sizes and accuracy. `output` is a new or an empty folder; what other libraries read of the weights is left out.
 *
 * Errors: INVALID_ARG, INVALID_OPTION (also a number that float16 cannot hold), DTYPE_UNSUPPORTED (weights that are integers already), NON_FINITE, CONFIG_UNSUPPORTED (a table of
 * vectors alone; int8 of a model that writes), CALIBRATION, IO, and those of reading a model directory.
 */
export async function quantizeModel(directory: ModelPath, output: FilePath, options: QuantizeModelOptions): Promise<QuantizeReport> {
  const model = readModelPath(directory, 'quantizeModel');
  const target = filePath(output, 'output of quantizeModel');
  const { dtype } = readOptions('quantizeModel', options, { dtype: oneOf(dtypes) });
  if (dtype === undefined) throw wrongOption(`one of ${dtypes.join(', ')} for quantizeModel option dtype`, dtype);
  const opened = await openModelDirectory(await resolveModel(model, {}, 'model'));
  let calibration: Calibration | undefined;
  try {
    requireNumbers(opened.tensors, 'quantizeModel');
    if (opened.staticTable !== undefined)
      throw unexpected('CONFIG_UNSUPPORTED', `an encoder for quantizeModel in ${quotePath(opened.path)}`, 'a table of vectors alone');
    if (dtype === 'int8') requireEncoder(opened, 'quantizeModel with dtype int8');
    calibration = dtype === 'int8' ? await openCalibration(opened.path) : undefined;
    const integers = dtype === 'int8' ? await integersOf(opened, calibration) : new Map<string, TensorInfo | undefined>();
    const planned = dtype === 'int8' ? await planIntegers(opened, integers) : planNarrow(opened, dtype);
    const corpus = [...integers.values()].some((scale) => scale !== undefined)
      ? `${calibration!.corpus} (${calibration!.texts} texts)`
      : undefined;

    const folder = transformerFolder(await readModules(opened.path));
    await copyWithoutWeights(opened.path, target, { folder, keepsCalibration: dtype !== 'int8' });
    if (dtype !== 'int8') await writeConfig(opened, path.join(target, folder), dtype);
    const metadata = new Map([['format', 'pt'], ...(corpus === undefined ? [] : [[CALIBRATION_KEY, corpus] as const])]);
    planned.sort((a, b) => dtypeBits(b.head.dtype) - dtypeBits(a.head.dtype) || (a.head.name < b.head.name ? -1 : 1));
    await replaceFile(path.join(target, folder, 'model.safetensors'), written(planned, metadata));
    await opened.verifyUnchanged();
    await calibration?.verifyUnchanged();
    return {
      path: target,
      bytes: sum(planned.map(({ head }) => head.bytes.byteLength)),
      bytesBefore: sum([...opened.tensors.values()].map(({ byteLength }) => byteLength)),
      integers: [...integers.keys()],
      ...(corpus === undefined ? {} : { calibration: corpus }),
    };
  } finally {
    await calibration?.close();
    await opened.close();
  }
}

/** Names of the tensors that become integers, and their input scales. Errors: CALIBRATION, those of `buildModel`. */
async function integersOf(opened: ModelDirectory, calibration: Calibration | undefined): Promise<Map<string, TensorInfo | undefined>> {
  const { program } = buildModel(opened, { heads: false });
  if (calibration === undefined) return integerWeights(program, opened.tensors);
  checkCalibration(calibration, new Map(smoothableLinears(program).map(({ name, input }) => [name, input.width])));
  return integerWeights(withInputScales(program, calibration.inputScales), opened.tensors);
}

async function planIntegers(opened: ModelDirectory, integers: ReadonlyMap<string, TensorInfo | undefined>): Promise<Planned[]> {
  const planned: Planned[] = [];
  for (const tensor of opened.tensors.values()) {
    const { name, shape } = tensor;
    if (!integers.has(name)) {
      planned.push(asStored(tensor));
      continue;
    }
    const scale = integers.get(name);
    const input = scale && (await scale.file.readFloat32(scale.name));
    const rows = rowScales(await readNumbers(tensor), shape[0]!, input);
    planned.push(floats(name + ROW_SCALE, rows), ...(input === undefined ? [] : [floats(name + INPUT_SCALE, input)]));
    const byteLength = shape.reduce((product, size) => product * size, 1);
    planned.push({
      head: { name, dtype: 'I8', shape, bytes: { byteLength } },
      async *chunks() {
        const values = await readNumbers(tensor);
        const columns = values.length / rows.length;
        const step = Math.max(1, Math.floor(kNumbersAtOnce / columns));
        for (let row = 0; row < rows.length; row += step) {
          const some = values.subarray(row * columns, (row + step) * columns);
          yield new Uint8Array(codesOf(some, rows.subarray(row, row + step), input).buffer);
        }
      },
    });
  }
  return planned;
}

/** Errors: NON_FINITE. */
async function readNumbers({ name, file }: TensorInfo): Promise<Float32Array> {
  const values = await file.readFloat32(name);
  const bad = values.find((value) => !Number.isFinite(value));
  if (bad !== undefined) throw unexpected('NON_FINITE', `numbers in tensor ${name}`, bad);
  return values;
}

function planNarrow({ tensors }: ModelDirectory, dtype: 'fp16' | 'bf16'): Planned[] {
  return Array.from(tensors.values(), (tensor) => {
    const { name, shape } = tensor;
    if (!isWeightDtype(tensor.dtype)) return asStored(tensor);
    const format = savedFormats[dtype];
    const byteLength = shape.reduce((product, size) => product * size, format.bytes);
    return {
      head: { name, dtype: format.dtype, shape, bytes: { byteLength } },
      async *chunks() {
        const values = await readNumbers(tensor);
        for (let begin = 0; begin < values.length; begin += kNumbersAtOnce)
          yield narrowed(values.subarray(begin, begin + kNumbersAtOnce), dtype, name, 'dtype');
      },
    };
  });
}

function asStored({ name, dtype, shape, byteLength, file }: TensorInfo): Planned {
  return {
    head: { name, dtype, shape, bytes: { byteLength } },
    async *chunks() {
      yield await file.read(name);
    },
  };
}

function floats(name: string, values: Float32Array): Planned {
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  return { head: { name, dtype: 'F32', shape: [values.length], bytes }, chunks: () => [bytes] };
}

async function* written(planned: readonly Planned[], metadata: ReadonlyMap<string, string>): AsyncGenerator<Uint8Array> {
  const heads = planned.map(({ head }) => head);
  yield safetensorsHead(heads, metadata);
  for (const each of planned) yield* each.chunks();
}

/** transformers makes a model of what its configuration says. Errors: IO. */
async function writeConfig({ config: { raw } }: ModelDirectory, folder: string, dtype: 'fp16' | 'bf16'): Promise<void> {
  const key = 'torch_dtype' in raw ? 'torch_dtype' : 'dtype';
  const text = JSON.stringify({ ...raw, [key]: savedFormats[dtype].name }, undefined, 2);
  await replaceFile(path.join(folder, 'config.json'), [new TextEncoder().encode(`${text}\n`)]);
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
