import { shortestDecimal } from '../../../vectors/decimal.js';
import { openOutput } from '../../output.js';

/** Where results go, and how. */
export interface OutputFlags {
  readonly json?: boolean;
  readonly output?: string;
}

/** Writes a result as a text, or as JSON with typed arrays as lists. */
export async function writeResult(result: object, flags: OutputFlags, text: () => string): Promise<void> {
  const output = await openOutput(flags.output, { patchable: false });
  await output.write(flags.json === true ? `${JSON.stringify({ version: 1, ...result }, plain)}\n` : text());
  await output.finish();
}

/** Numbers of float32 as they print, arrays of numbers as lists. */
function plain(_: string, value: unknown): unknown {
  if (!ArrayBuffer.isView(value)) return value;
  const list = Array.from(value as unknown as ArrayLike<number>);
  return Object.prototype.toString.call(value) === '[object Float32Array]' ? list.map(shortestDecimal) : list;
}
