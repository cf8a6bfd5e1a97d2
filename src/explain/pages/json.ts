import { unexpected } from '../../expected.js';
import { shortestDecimal } from '../../vectors/decimal.js';
import type { ExplainResult } from './result.js';

/** Attention weights that one JSON may have. */
const kMostWeights = 2 ** 24;

/** A result as JSON: typed arrays as lists, numbers of float32 as they print, what is not a number as null. Errors: INPUT_TOO_LARGE. */
export function jsonOf(result: ExplainResult): string {
  if ('weights' in result) requireRoom(result.weights);
  return `${JSON.stringify({ version: 1, ...result }, plain)}\n`;
}

function plain(_: string, value: unknown): unknown {
  if (!ArrayBuffer.isView(value)) return value;
  const list = Array.from(value as unknown as ArrayLike<number>);
  return Object.prototype.toString.call(value) === '[object Float32Array]' ? list.map(shortestDecimal) : list;
}

function requireRoom(weights: readonly { readonly data: Float32Array }[]): void {
  const count = weights.reduce((sum, { data }) => sum + data.length, 0);
  if (count <= kMostWeights) return;
  const got = `${count}, which would be about ${12 * count} bytes`;
  throw unexpected('INPUT_TOO_LARGE', `at most ${kMostWeights} attention weights in JSON`, got, {
    hint: 'Ask for layers or heads, or for an attention file (attentionFile, --attention-file), which takes a byte or less for each.',
  });
}
