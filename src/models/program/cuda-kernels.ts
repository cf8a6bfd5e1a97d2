import type { NativeOp } from '../../runtime/native.js';
import type { Program } from './program.js';

/**
 * The first of what a program asks for that no CUDA kernel computes yet; undefined where all is there. Loading on a device asked for by name refuses the same
 * (`require_kernels` in native/engine/program/validate.cc).
 */
export function lackingOnCuda({ ops }: Program): string | undefined {
  return ops.map(lackingOf).find((lacking) => lacking !== undefined);
}

function lackingOf(op: NativeOp): string | undefined {
  return op.op === 'linear' && (op.scale ?? 1) !== 1 ? 'scaled products' : undefined;
}
