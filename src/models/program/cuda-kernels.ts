import type { NativeOp } from '../../runtime/native.js';
import type { Program } from './program.js';

/**
 * The first of what a program asks for that no CUDA kernel computes yet; undefined where all is there. Loading on a device asked for by name refuses the same
 * (`require_kernels` in native/engine/program/validate.cc).
 */
export function lackingOnCuda({ ops, values }: Program): string | undefined {
  return ops.map((op) => lackingOf(op, values)).find((lacking) => lacking !== undefined);
}

function lackingOf(op: NativeOp, values: Program['values']): string | undefined {
  switch (op.op) {
    case 'linear':
      return (op.scale ?? 1) === 1 ? undefined : 'scaled products';
    case 'embed':
      if (op.sinusoidal === true) return 'computed positions';
      return (op.scale ?? 1) === 1 ? undefined : 'scaled lookups';
    case 'attention':
      if (op.causal === true) return 'causal attention';
      return op.key === undefined || values[op.key]!.rows === values[op.query]!.rows ? undefined : 'cross-attention';
    default:
      return undefined;
  }
}
