import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { SafetensorsFile } from '../../src/checkpoint/safetensors/safetensors.js';

/** What a case says when Python refuses it: the exception's type and its first line. */
export interface Refusal {
  readonly error?: string;
  readonly message?: string;
}

/** A tensor of a golden file. */
export interface Tensor {
  readonly data: number[];
  readonly shape: readonly number[];
  readonly isSingle: boolean;
}

/** What a part found. */
export interface Outcome {
  checked: number;
  readonly wrong: string[];
}

/** Golden data in a directory. */
export class Golden {
  constructor(readonly directory: string) {}

  has(name: string): boolean {
    return existsSync(join(this.directory, name));
  }

  path(name: string): string {
    return join(this.directory, name);
  }

  /** A JSON file, whose layout the caller knows. */
  json<T>(name: string): T {
    return JSON.parse(readFileSync(join(this.directory, name), 'utf8')) as T;
  }

  async tensors(name: string): Promise<Map<string, Tensor>> {
    const file = await SafetensorsFile.open(join(this.directory, name));
    try {
      const bytes = readFileSync(join(this.directory, name));
      const begin = 8 + Number(bytes.readBigUInt64LE(0));
      const tensors = new Map<string, Tensor>();
      const header = JSON.parse(bytes.subarray(8, begin).toString()) as Record<string, HeaderEntry>;
      for (const [key, { shape, dtype, data_offsets: at }] of Object.entries(header)) {
        if (key === '__metadata__') continue;
        const own = bytes.buffer.slice(bytes.byteOffset + begin + at[0], bytes.byteOffset + begin + at[1]) as ArrayBuffer;
        tensors.set(key, { data: numbersOf(dtype, own), shape, isSingle: dtype === 'F32' });
      }
      return tensors;
    } finally {
      await file.close();
    }
  }
}

interface HeaderEntry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

function numbersOf(dtype: string, bytes: ArrayBuffer): number[] {
  if (dtype === 'F32') return Array.from(new Float32Array(bytes));
  return dtype === 'F64' ? Array.from(new Float64Array(bytes)) : Array.from(new Int32Array(bytes));
}

/** Numbers with NaN and infinities as the files write them. */
export function number(value: unknown): number {
  return typeof value === 'string' ? Number(value.replace('inf', 'Infinity').replace('nan', 'NaN')) : (value as number);
}

/** Notes what is not as expected. */
export function check(outcome: Outcome, name: string, isRight: boolean, detail = ''): void {
  outcome.checked++;
  if (!isRight) outcome.wrong.push(`${name}${detail === '' ? '' : `: ${detail}`}`);
}

/** The largest difference, relative to the larger of 1 and the value if `relative`. */
export function difference(got: ArrayLike<number>, expected: ArrayLike<number>, relative = false): number {
  if (got.length !== expected.length) return Infinity;
  let most = 0;
  for (let i = 0; i < got.length; i++) {
    const [a, b] = [got[i]!, number(expected[i])];
    if (Object.is(a, b) || a === b) continue;
    const distance = Math.abs(a - b) / (relative ? Math.abs(b) : 1);
    most = Math.max(most, Number.isNaN(distance) ? Infinity : distance);
  }
  return most;
}

/** Whether a case with `error` is refused with a typed error; else runs the comparison. */
export async function refusedOr(outcome: Outcome, name: string, item: Refusal, run: () => Promise<void> | void): Promise<void> {
  try {
    await run();
  } catch (error) {
    const { code } = error as { code?: unknown };
    check(outcome, name, item.error !== undefined && typeof code === 'string', String(error));
    return;
  }
  if (item.error !== undefined) check(outcome, name, false, `accepted, expected ${item.error}`);
}

/** The rows of a tensor [rows, width], in its precision. */
export function rowsOf({ data, shape, isSingle }: Tensor): (Float32Array | Float64Array)[] {
  const [rows, width] = shape as [number, number];
  const type = isSingle ? Float32Array : Float64Array;
  return Array.from({ length: rows }, (_, i) => type.from(data.slice(i * width, (i + 1) * width)));
}

/** Numbers as a list, for `flatMap`. */
export function listOf(values: ArrayLike<number>): number[] {
  return Array.from(values);
}
