import type { NativeOp } from '../../runtime/native.js';
import type { Program } from './program.js';

/** Ops that run on the processor alone. */
const cpuOps: ReadonlySet<NativeOp['op']> = new Set(['activation', 'constant', 'pool_linear', 'slice', 'unfold']);

/**
 * The first of what a program asks for that no CUDA kernel computes yet; undefined where all is there. Loading on a device asked for by name refuses the same
 * (`require_kernels` in native/engine/program/validate.cc).
 */
export function lackingOnCuda({ ops }: Program): string | undefined {
  return ops.map(lackingOf).find((lacking) => lacking !== undefined);
}

function lackingOf(op: NativeOp): string | undefined {
  if (cpuOps.has(op.op)) return op.op;
  return op.op === 'attention' && op.buckets !== undefined ? 'disentangled scores' : undefined;
}
