import { received, unexpected, wrongOption } from '../../expected.js';
import { loadAddon } from '../addon.js';
import { callNative } from '../native-error.js';
import type { PrecisionOption } from './precision.js';

/** Where a model can compute: on the processor, or on the CUDA device of that number (`'cuda'` is the first). */
export type Device = 'cpu' | 'cuda' | `cuda:${number}`;

/** What can be asked for; `auto` takes the first CUDA device that can be used, else the processor, and says why. */
export type DeviceOption = Device | 'auto';

/** What was asked for and where a model computes. */
export interface DeviceReport {
  readonly asked: DeviceOption;
  readonly chosen: Device;
  readonly reason: string;
}

const kCudaPrecisions: readonly PrecisionOption[] = ['fp32', 'fp16', 'bf16', 'auto'];

/** The option's value. Errors: INVALID_OPTION for what is no string, DEVICE for one that names no device. */
export function parseDevice(value: unknown, name: string): DeviceOption {
  if (typeof value !== 'string') {
    throw wrongOption(`a string for ${name}`, value);
  }
  if (/^(?:auto|cpu|cuda|cuda:\d{1,4})$/.test(value)) return value as DeviceOption;
  throw unexpected('DEVICE', `one of auto, cpu, cuda, cuda:N for ${name}`, received(value));
}

/** `chooseDevice`, with the driver set up on another thread: that takes up to a second at the first `auto` of a process. Errors: ADDON_LOAD, THREADS. */
export async function findDevice(asked: DeviceOption, precision: PrecisionOption, headDim: number): Promise<DeviceReport> {
  if (asked === 'auto' && kCudaPrecisions.includes(precision)) await callNative(() => loadAddon().findDevices());
  return chooseDevice(asked, precision, headDim);
}

/**
 * Decides where a model computes whose widest attention head has `headDim` columns. What was asked for by name stays: if it cannot be had,
 * loading says what is missing.
 *
 * Errors: ADDON_LOAD.
 */
export function chooseDevice(asked: DeviceOption, precision: PrecisionOption = 'fp32', headDim = 0): DeviceReport {
  if (asked !== 'auto') return { asked, chosen: asked, reason: 'as asked' };
  if (!kCudaPrecisions.includes(precision)) return { asked, chosen: 'cpu', reason: `CUDA devices do not compute in ${precision}` };
  const addon = loadAddon();
  const refused: string[] = [];
  for (let i = 0; i < addon.deviceCount(); i++) {
    const chosen: Device = i === 0 ? 'cuda' : `cuda:${i}`;
    const problem = addon.deviceProblem(chosen, precision === 'auto' ? 'fp32' : precision, headDim);
    if (problem === '') return { asked, chosen, reason: [addon.deviceDescription(chosen), ...refused].join('; not ') };
    refused.push(`${chosen}: ${problem}`);
  }
  const reason = refused.length > 0 ? refused.join('; ') : addon.deviceProblem('cuda');
  return { asked, chosen: 'cpu', reason: `no CUDA device can be used: ${reason}` };
}
