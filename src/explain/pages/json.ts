import { shortestDecimal } from '../../vectors/decimal.js';
import type { ExplainResult } from './result.js';

/** A result as JSON: typed arrays as lists, numbers of float32 as they print, what is not a number as null. */
export function jsonOf(result: ExplainResult): string {
  return `${JSON.stringify({ version: 1, ...result }, plain)}\n`;
}

function plain(_: string, value: unknown): unknown {
  if (!ArrayBuffer.isView(value)) return value;
  const list = Array.from(value as unknown as ArrayLike<number>);
  return Object.prototype.toString.call(value) === '[object Float32Array]' ? list.map(shortestDecimal) : list;
}
