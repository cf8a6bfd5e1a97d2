import { loadAddon } from '../../src/runtime/addon.js';
import type { NativeOps } from '../../src/runtime/native.js';

/** One op at a time on typed arrays, by the kernels of the instruction set in use. */
export const ops: NativeOps = loadAddon().ops;

/** The instruction set that these tests run on: the best there is, or the one BERTHA_ISA names. Goes into suites' names. */
export const instructionSet: string = loadAddon().isa().chosen;
