import { loadAddon } from '../runtime/addon.js';
import { callNative } from '../runtime/native-error.js';
import type { NativeAddon } from '../runtime/native.js';
import { chooseDevice, type Device, type DeviceReport } from '../runtime/options/device.js';

/** One CUDA device. */
export interface CudaDevice {
  /** What the option `device` calls it. */
  readonly name: Device;
  /** Name, compute capability and memory; empty if it cannot be used. */
  readonly description: string;
  /** Why it cannot be used; empty if it can. */
  readonly problem: string;
}

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
    /** Whether some device can be used. */
    readonly available: boolean;
    /** What the first one lacks, or why there is none; empty if available. */
    readonly problem: string;
    /** Name, compute capability and memory of the first that can be used; empty if not available. */
    readonly device: string;
    /** Every device of this machine, in the driver's order. */
    readonly devices: readonly CudaDevice[];
  };
  /** What the device `'auto'` would be, and why. */
  readonly device: DeviceReport;
}

/**
 * Reports what the native addon found out about this machine. With CUDA in the addon, the first question of a process about devices sets up
 * the driver, which takes up to a second on the calling thread; loading a model with `device: 'auto'` does that on another one.
 *
 * Errors: ADDON_LOAD, ISA and INVALID_ARG (BERTHA_ISA and BERTHA_THREADS that cannot be had).
 */
export function systemInfo(): SystemInfo {
  const addon = loadAddon();
  return {
    addon: { version: addon.version, builder: addon.builder, compiler: addon.compiler },
    isa: callNative(() => addon.isa()),
    threads: callNative(() => addon.threads()),
    cuda: cudaOf(addon),
    device: chooseDevice('auto'),
  };
}

function cudaOf(addon: NativeAddon): SystemInfo['cuda'] {
  const devices = Array.from({ length: addon.deviceCount() }, (_, i): CudaDevice => {
    const name: Device = i === 0 ? 'cuda' : `cuda:${i}`;
    const problem = addon.deviceProblem(name);
    return { name, description: problem === '' ? addon.deviceDescription(name) : '', problem };
  });
  const usable = devices.find(({ problem }) => problem === '');
  const problem = usable === undefined ? addon.deviceProblem('cuda') : '';
  return { available: usable !== undefined, problem, device: usable?.description ?? '', devices };
}
