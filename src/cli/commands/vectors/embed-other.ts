import { unexpected } from '../../../expected.js';
import type { Embedder, EmbedSyncOptions } from '../../../index.js';
import type { TextSource } from '../../input.js';
import type { Output } from '../../output.js';
import { withFields } from '../../readers/item.js';
import { JsonLines } from '../../writers/json-lines.js';
import { shortestDecimal } from '../../../vectors/decimal.js';

/** What `bertha embed` writes instead of one dense vector a text. */
export interface OtherVectors {
  /** Weights of words. */
  readonly sparse?: boolean;
  /** A vector for each token. */
  readonly tokens?: boolean;
}

/** Requires options that such vectors have. Errors: USAGE. */
export function requirePlain({ sparse, tokens }: OtherVectors, format: string, options: EmbedSyncOptions): void {
  const name = sparse === true ? '--sparse' : '--tokens';
  if (sparse === true && tokens === true) throw unexpected('USAGE', 'either --sparse or --tokens', 'both');
  if (format !== 'jsonl') throw unexpected('USAGE', `--format jsonl for ${name}`, format);
  const { dimensions, normalize, quantize } = options;
  if (dimensions === undefined && normalize === undefined && quantize === undefined) return;
  throw unexpected('USAGE', `no --dimensions, --normalize or --quantize for ${name}`, 'one of them');
}

/** Embeds the texts block by block, one JSON object a text. */
export async function writeOtherVectors(
  embedder: Embedder,
  source: TextSource,
  { sparse }: OtherVectors,
  options: EmbedSyncOptions,
  output: Output,
): Promise<void> {
  const decimals = (values: Float32Array): number[] => Array.from(values, shortestDecimal);
  const lines = new JsonLines<Record<string, unknown>>(output, (row) => row);
  let index = 0;
  for await (const block of source.blocks) {
    const texts = block.map(({ text }) => text);
    const results =
      sparse === true
        ? (await embedder.embedSparse(texts, options)).map(({ indices, values, ...rest }) => ({
            ...rest,
            indices: Array.from(indices),
            values: decimals(values),
          }))
        : (await embedder.embedTokens(texts, options)).map(({ data, dims, ...rest }) => ({
            ...rest,
            embeddings: Array.from({ length: dims[0] }, (_, row) => decimals(data.subarray(row * dims[1], (row + 1) * dims[1]))),
          }));
    await lines.write(results.map((result, i) => withFields({ index: index + i, text: texts[i], ...result }, block[i]!)));
    index += block.length;
  }
  await lines.finish();
}
