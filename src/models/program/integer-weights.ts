import { storedName } from '../../checkpoint/safetensors/row-range.js';
import { isWeightDtype, type TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import type { NativeOp } from '../../runtime/native.js';
import type { Program } from './program.js';

/** How an op uses a weight: as its word table, or as a matrix that int8 rounds, with these input scales. */
type Use = 'words' | 'other' | { readonly scale: TensorInfo | undefined };

const kWeightFields = ['matrix', 'bias', 'weight', 'word', 'position', 'type', 'table', 'relativeBias'] as const;

/**
 * The stored tensors that precision int8 rounds wherever the program uses them, with the input scales that are multiplied in before: the matrices of the
 * encoder's linear layers, as `formats_of` in native/cpu/cpu_backend.cc chooses them. And word tables, which it does not round, but may be rows of integers.
 */
export function integerWeights(program: Program, stored: ReadonlyMap<string, TensorInfo>): Map<string, TensorInfo | undefined> {
  const uses = new Map<string, Use[]>();
  for (const op of program.ops) {
    for (const field of kWeightFields) {
      const weight = (op as Readonly<Record<string, unknown>>)[field];
      if (typeof weight !== 'number') continue;
      for (const tensor of program.weights[weight]!.tensors) {
        const name = storedName(tensor);
        uses.set(name, [...(uses.get(name) ?? []), useOf(op, field, program)]);
      }
    }
  }
  const integers = new Map<string, TensorInfo | undefined>();
  for (const [name, all] of uses) {
    const tensor = stored.get(name);
    const [first] = all;
    if (tensor === undefined || first === undefined || tensor.shape.length < 2 || !isWeightDtype(tensor.dtype)) continue;
    if (all.every((use) => use === 'words')) integers.set(name, undefined);
    else if (all.every((use) => typeof use === 'object' && typeof first === 'object' && use.scale === first.scale))
      integers.set(name, (first as Exclude<Use, string>).scale);
  }
  return integers;
}

function useOf(op: NativeOp, field: (typeof kWeightFields)[number], { values, weights }: Program): Use {
  if (op.op === 'embed' && field === 'word') return 'words';
  if (
    op.op !== 'linear' ||
    field !== 'matrix' ||
    op.fullPrecision === true ||
    !(['tokens', 'target'] as const).some((rows) => rows === values[op.output]!.rows)
  )
    return 'other';
  return { scale: op.inputScale === undefined ? undefined : weights[op.inputScale]!.tensors[0] };
}
