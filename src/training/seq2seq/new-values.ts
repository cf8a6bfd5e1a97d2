import type { PartConfig } from '../../architectures/config.js';
import { initialValues } from '../program/initial-values.js';

/** What transformers fills a new tensor of a model that writes, or of the half that it belongs to, with: N(0, `initializer_range`, of Marian `init_std`), biases 0, norms 1 and 0, the lookups of padding 0. */
export function newWriterValues(
  { name, shape }: { readonly name: string; readonly shape: readonly number[] },
  part: PartConfig,
  seed: number,
): Float32Array {
  const [rows = 1, cols = 1] = shape;
  const range = part.raw['initializer_range'] ?? part.raw['init_std'];
  // Buffers of zeros.
  if (name === 'final_logits_bias') return new Float32Array(rows * cols);
  const values = initialValues(seed, name, rows * cols, typeof range === 'number' && range >= 0 ? range : 0.02);
  const [, table] = /(word_embeddings|position_embeddings|shared|embed_tokens)\.weight$/.exec(name) ?? [];
  const row = table === undefined ? undefined : table === 'position_embeddings' ? part.uncountedId : part.padTokenId;
  if (row !== undefined) values.fill(0, row * cols, (row + 1) * cols);
  return values;
}
