import type { SafetensorsFile } from '../../src/checkpoint/safetensors/safetensors.js';
import { inNumberOrder } from './order.js';

/** Differences of gradients, as the golden set's README defines them. */
export interface Differences {
  readonly global: number;
  readonly tensor: number;
  readonly worst: string;
}

const kPrefix = 'grad.';

/** Names of the tensors whose gradients a file has. */
export function gradientNames(file: SafetensorsFile): string[] {
  const names = [...file.tensors.keys()].filter((name) => name.startsWith(kPrefix));
  return inNumberOrder(names).map((name) => name.slice(kPrefix.length));
}

/** Compares gradients by name; one that is missing in `actual` counts as zeros. */
export async function compareGradients(
  names: readonly string[],
  expectedOf: (name: string) => Promise<Float32Array>,
  actualOf: (name: string) => Promise<Float32Array | undefined>,
): Promise<Differences> {
  const found: { name: string; difference: number; norm: number }[] = [];
  for (const name of names) {
    const [expected, values] = [await expectedOf(name), await actualOf(name)];
    const difference = Math.hypot(...sums(expected.map((value, i) => (values?.[i] ?? 0) - value)));
    found.push({ name, difference, norm: Math.hypot(...sums(expected)) });
  }
  const total = Math.hypot(...found.map(({ norm }) => norm));
  const worst = found.reduce((most, each) => (ratio(each, total) > ratio(most, total) ? each : most));
  return { global: Math.hypot(...found.map(({ difference }) => difference)) / total, tensor: ratio(worst, total), worst: worst.name };
}

function ratio({ difference, norm }: { readonly difference: number; readonly norm: number }, total: number): number {
  return difference / (norm + 1e-3 * total);
}

/** Norms of pieces, so that no call has too many arguments. */
function sums(values: Float32Array): number[] {
  let sum = 0;
  for (const value of values) sum += value * value;
  return [Math.sqrt(sum)];
}
