import { loadTestAddon, type NativeOps, type NativeSearchOps, type NativeTrainingOps } from './test-addon.js';

const addon = loadTestAddon();

/** One op at a time on typed arrays, by the kernels of the instruction set in use. */
export const ops: NativeOps = addon.ops;

/** The search for one text, without a model. */
export const searchOps: NativeSearchOps = addon.searchOps;

/** The backward of one op at a time, likewise. */
export const trainingOps: NativeTrainingOps = addon.trainingOps;

/** The instruction set that these tests run on: the best there is, or the one BERTHA_ISA names. Goes into suites' names. */
export const instructionSet: string = addon.isa().chosen;
