import { loadAddon } from '../runtime/addon.js';
import { callNative } from '../runtime/native-error.js';
import { chooseDevice, type DeviceReport } from '../runtime/device.js';

/** What Bertha computes with on this machine. */
export interface SystemInfo {
  readonly addon: { readonly version: string; readonly builder: string; readonly compiler: string };
  /** Instruction sets: the one in use, those that could be, and whether BERTHA_ISA forced it. */
  readonly isa: {
    readonly chosen: string;
    readonly available: readonly string[];
    readonly features: readonly string[];
    readonly forced: boolean;
    /** Precisions that the one in use has kernels for. */
    readonly precisions: readonly string[];
  };
  /** Threads of the compute pool, the reason for that number, and what it was taken from (`quota` in CPUs, null for none). */
  readonly threads: {
    readonly pool: number;
    readonly reason: string;
    readonly affinity: number;
    readonly quota: number | null;
    readonly physical: number;
  };
  readonly cuda: {
    readonly available: boolean;
    /** What is missing; empty if available. */
    readonly problem: string;
    /** The first device's name, compute capability and memory; empty if not available. */
    readonly device: string;
  };
  /** What the device `'auto'` would be, and why. */
  readonly device: DeviceReport;
}

/**
 * Reports what the native addon found out about this machine.
 *
 * Errors: ADDON_LOAD, ISA and INVALID_ARG (BERTHA_ISA and BERTHA_THREADS that cannot be had).
 */
export function systemInfo(): SystemInfo {
  const addon = loadAddon();
  const problem = addon.deviceProblem('cuda');
  return {
    addon: { version: addon.version, builder: addon.builder, compiler: addon.compiler },
    isa: callNative(() => addon.isa()),
    threads: callNative(() => addon.threads()),
    cuda: { available: problem === '', problem, device: problem === '' ? addon.deviceDescription('cuda') : '' },
    device: chooseDevice('auto'),
  };
}
