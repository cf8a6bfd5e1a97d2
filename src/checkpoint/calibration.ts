import path from 'node:path';
import type { BerthaError } from '../errors.js';
import { unexpected } from '../expected.js';
import { quote, quotePath } from './describe.js';
import { isMissing } from './files.js';
import { SafetensorsFile, type TensorInfo, writeSafetensors } from './safetensors/safetensors.js';

/** What was seen of one linear layer's input while calibrating. */
export interface CalibratedLinear {
  readonly name: string;
  /** [columns]: largest magnitude of each input column. */
  readonly inputMax: Float32Array;
  /** [columns], positive: what int8 divides the column by before it rounds. */
  readonly inputScale: Float32Array;
}

/** Where a calibration came from. */
export interface CalibrationSource {
  /** Name of the corpus. */
  readonly corpus: string;
  readonly texts: number;
  readonly tokens: number;
}

/** An open calibration file. */
export interface Calibration extends CalibrationSource {
  readonly path: string;
  /** [columns] F32 by the linear layer's name. */
  readonly inputScales: ReadonlyMap<string, TensorInfo>;
  /** Errors: IO, DISPOSED. */
  verifyUnchanged(): Promise<void>;
  close(): Promise<void>;
}

/** The file of a model directory that holds its calibration. */
export const CALIBRATION_FILE = 'bertha_calibration.safetensors';

const kFormat = 'bertha_calibration 1';
const kScaleSuffix = '.input_scale';
const kMaxSuffix = '.input_max';
/** Scales are square roots of ratios of trained numbers; what lies outside is no calibration. */
const kScaleRange = [1e-15, 1e15] as const;

/**
 * Opens the calibration of a model directory; undefined where there is none. Close it when the model is loaded.
 *
 * Errors: IO, CALIBRATION (another format, a scale that is not a positive number), and those of a safetensors header.
 */
export async function openCalibration(directory: string): Promise<Calibration | undefined> {
  let file: SafetensorsFile;
  try {
    file = await SafetensorsFile.open(path.join(directory, CALIBRATION_FILE));
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw error;
  }
  try {
    const format = file.metadata.get('format');
    if (format !== kFormat)
      throw damaged(file, `${quote(kFormat)} for the format in its metadata`, format === undefined ? 'none' : quote(format));
    const inputScales = new Map<string, TensorInfo>();
    for (const [name, tensor] of file.tensors) {
      if (!name.endsWith(kScaleSuffix)) continue;
      await checkScale(file, tensor);
      inputScales.set(name.slice(0, -kScaleSuffix.length), tensor);
    }
    return {
      path: file.path,
      corpus: file.metadata.get('corpus') ?? 'unnamed',
      texts: Number(file.metadata.get('texts') ?? 0),
      tokens: Number(file.metadata.get('tokens') ?? 0),
      inputScales,
      verifyUnchanged: () => file.verifyUnchanged(),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * Requires that every scale has as many columns as the model's layer of that name, and that the file is not another model's.
 *
 * Errors: CALIBRATION.
 */
export function checkCalibration(calibration: Calibration, columns: ReadonlyMap<string, number>): void {
  let matching = 0;
  for (const [name, { shape }] of calibration.inputScales) {
    const expected = columns.get(name);
    if (expected === undefined) continue;
    matching++;
    if (shape[0] !== expected) throw damaged(calibration, `${expected} values for ${quote(name + kScaleSuffix)}`, `${shape[0]}`);
  }
  if (matching === 0) {
    const [first = 'no layer at all'] = calibration.inputScales.keys();
    throw damaged(calibration, `layers of this model, such as ${quote([...columns.keys()][0] ?? '')}`, quote(first));
  }
}

/** Writes a calibration file as `writeSafetensors` does. Errors: IO, and those of `writeSafetensors`. */
export async function writeCalibration(file: string, linears: readonly CalibratedLinear[], source: CalibrationSource): Promise<void> {
  const tensors = linears.flatMap(({ name, inputMax, inputScale }) => [
    floats(name + kMaxSuffix, inputMax),
    floats(name + kScaleSuffix, inputScale),
  ]);
  const metadata = { format: kFormat, corpus: source.corpus, texts: String(source.texts), tokens: String(source.tokens) };
  await writeSafetensors(file, tensors, new Map(Object.entries(metadata)));
}

function floats(name: string, values: Float32Array) {
  return {
    name,
    dtype: 'F32' as const,
    shape: [values.length],
    bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength),
  };
}

async function checkScale(file: SafetensorsFile, { name, dtype, shape }: TensorInfo): Promise<void> {
  if (dtype !== 'F32' || shape.length !== 1) throw damaged(file, `F32 [columns] for ${quote(name)}`, `${dtype} [${shape.join(', ')}]`);
  requireInputScale(file, name, await file.readFloat32(name));
}

/** Requires positive numbers, none of them far from 1. Errors: CALIBRATION. */
export function requireInputScale(file: { readonly path: string }, name: string, values: Float32Array): void {
  const bad = values.find((value) => !(value >= kScaleRange[0] && value <= kScaleRange[1]));
  if (bad !== undefined) throw damaged(file, `positive numbers for ${quote(name)}`, String(bad));
}

function damaged(file: { readonly path: string }, expected: string, got: string): BerthaError {
  return unexpected('CALIBRATION', `${expected} in ${quotePath(file.path)}`, got, {
    hint: 'Make it anew with bertha calibrate, or remove it.',
  });
}
