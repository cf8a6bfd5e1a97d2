import { isWeightDtype, type TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import type { NativeProgram, NativeWeight, NativeWeightPart } from '../../runtime/native.js';
import type { Program, WeightSpec } from './program.js';

/** The program as native code reads it: weights become ranges of open files. */
export function toNativeProgram(program: Program): NativeProgram {
  return { ...program, weights: program.weights.map(toNativeWeight) };
}

function toNativeWeight({ name, kind, rows, cols, tensors, places, added }: WeightSpec): NativeWeight {
  if (kind === 'vector' && places !== undefined) {
    return { name, kind, rows, cols, parts: tensors.map((tensor, i) => toNativePart(tensor, places[i]!.colBegin)) };
  }
  let rowBegin = 0;
  const parts = tensors.map((tensor, i) => {
    const place = places?.[i];
    const part = { ...toNativePart(tensor, place?.rowBegin ?? rowBegin), ...(place && { ...place, cols: tensor.shape[1]! }) };
    rowBegin += part.rows;
    return part;
  });
  if (added === undefined) return { name, kind, rows, cols, parts };
  const products = added.map(({ rowBegin: begin, up, down, scale }) => ({ up: toBlock(up, begin), down: toBlock(down, 0), scale }));
  return { name, kind, rows, cols, parts, added: products };
}

function toBlock(tensor: TensorInfo, rowBegin: number): NativeWeightPart {
  return { ...toNativePart(tensor, rowBegin), colBegin: 0, cols: tensor.shape[1]! };
}

/** The rows of a tensor, of a vector its values. */
function toNativePart(tensor: TensorInfo, rowBegin: number): NativeWeightPart {
  const dtype: NativeWeightPart['dtype'] = tensor.scales !== undefined ? 'I8' : isWeightDtype(tensor.dtype) ? tensor.dtype : 'F32';
  const part = { fd: tensor.file.fd, offset: tensor.byteOffset, dtype, rowBegin, rows: tensor.shape[0] ?? 0, name: tensor.name };
  if (tensor.scales === undefined) return part;
  const { row, input } = tensor.scales;
  const rowScales = row.byteOffset + (tensor.rowsOf?.begin ?? 0) * Float32Array.BYTES_PER_ELEMENT;
  return { ...part, rowScales, ...(input && { inputScales: input.byteOffset }) };
}
