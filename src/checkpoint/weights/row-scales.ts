import type { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { quote } from '../describe.js';
import type { TensorInfo } from '../safetensors/safetensors.js';

/** What follows a matrix's name in the names of its scales. */
export const ROW_SCALE = '.scale';
export const INPUT_SCALE = '.input_scale';
/** Where a file's metadata name the texts that input scales come from. */
export const CALIBRATION_KEY = 'calibration';

/**
 * The tensors of a checkpoint with integer matrices made whole: an I8 tensor [rows, columns] that has NAME.scale [rows] beside it is a weight, and may
 * have NAME.input_scale [columns]; the scales are no tensors of their own then. I8 tensors without scales stay what they are, no weights.
 *
 * Errors: MODEL_MISMATCH for scales of another shape or element type, or in another file than their matrix.
 */
export function withRowScales(tensors: ReadonlyMap<string, TensorInfo>): ReadonlyMap<string, TensorInfo> {
  const coded = [...tensors.values()].filter(
    ({ name, dtype, shape }) => dtype === 'I8' && shape.length >= 2 && tensors.has(name + ROW_SCALE),
  );
  if (coded.length === 0) return tensors;
  const whole = new Map(tensors);
  for (const tensor of coded) {
    const [rows = 0, ...rest] = tensor.shape;
    const row = scaleOf(tensor, tensors.get(tensor.name + ROW_SCALE)!, rows);
    const stored = tensors.get(tensor.name + INPUT_SCALE);
    const input =
      stored &&
      scaleOf(
        tensor,
        stored,
        rest.reduce((product, size) => product * size, 1),
      );
    whole.set(tensor.name, { ...tensor, scales: { row, ...(input && { input }) } });
    for (const scale of [row, input]) if (scale !== undefined) whole.delete(scale.name);
  }
  return whole;
}

/** Whether a weight is stored as integers, which only int8 computes with. */
export function isCoded({ scales }: TensorInfo): boolean {
  return scales !== undefined;
}

/** Requires numbers for what integers cannot do: learning, being pruned, calibrated or rounded again. `what` names it. Errors: DTYPE_UNSUPPORTED. */
export function requireNumbers(tensors: ReadonlyMap<string, TensorInfo>, what: string): void {
  const coded = [...tensors.values()].find(isCoded);
  if (coded === undefined) return;
  throw unexpected('DTYPE_UNSUPPORTED', `weights in floating point for ${what}`, `I8 with scales for ${quote(coded.name)}`, {
    hint: 'Take the checkpoint that bertha quantize made this one of.',
  });
}

function scaleOf(tensor: TensorInfo, scale: TensorInfo, length: number): TensorInfo {
  const { dtype, shape } = scale;
  if (dtype !== 'F32' || shape.length !== 1 || shape[0] !== length)
    throw wrongScale(tensor, scale, `F32 [${length}]`, `${dtype} [${shape.join(', ')}]`);
  if (scale.file !== tensor.file) throw wrongScale(tensor, scale, "its matrix's file", 'another one');
  return scale;
}

function wrongScale({ name, shape }: TensorInfo, scale: TensorInfo, expected: string, got: string): BerthaError {
  return unexpected('MODEL_MISMATCH', `${expected} for ${quote(scale.name)}, beside ${quote(name)} I8 [${shape.join(', ')}],`, got);
}

/** The largest integer of a row, of either sign. */
const kLargestCode = 127;

/**
 * What each row [columns] is divided by before it is rounded, input scales multiplied in: the grid of `pack_int8_panel` in native/cpu/kernels/int8-inl.h,
 * to the bit.
 */
export function rowScales(values: Float32Array, rows: number, input?: Float32Array): Float32Array {
  const columns = values.length / rows;
  return Float32Array.from({ length: rows }, (_, row) => {
    let largest = 0;
    for (let i = 0; i < columns; i++) largest = Math.max(largest, Math.abs(scaled(values[row * columns + i]!, input, i)));
    return largest > 0 ? largest / kLargestCode : 1;
  });
}

/** The integers of rows [scales.length, columns], rounded to nearest, ties to even. */
export function codesOf(values: Float32Array, scales: Float32Array, input?: Float32Array): Int8Array<ArrayBuffer> {
  const columns = values.length / scales.length;
  const codes = new Int8Array(values.length);
  for (let row = 0; row < scales.length; row++) {
    for (let i = 0; i < columns; i++) {
      const at = row * columns + i;
      // Adding 1.5 · 2^52 leaves no bits for a fraction.
      codes[at] = Math.fround(scaled(values[at]!, input, i) / scales[row]!) + kRound - kRound;
    }
  }
  return codes;
}

const kRound = 1.5 * 2 ** 52;

function scaled(value: number, input: Float32Array | undefined, column: number): number {
  return input === undefined ? value : Math.fround(value * input[column]!);
}
