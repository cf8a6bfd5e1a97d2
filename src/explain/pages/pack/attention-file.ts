import { createHash } from 'node:crypto';
import { deflateRawSync } from 'node:zlib';
import { unexpected } from '../../../expected.js';
import type { Attention } from '../../attention/attention.js';
import type { AttentionIndex } from '../data.js';
import { quantizedHead } from './quantize.js';
import { withShares } from './shares.js';

/** What an attention file begins with, before the length of its index in 32 bits. */
const kMagic = 'bertha-a';

/**
 * All heads of `attention` as one file beside a page that has no room for them: its reader opens the file there, and any head is shown in full. First an
 * index, then each head by itself, compressed, 8 bits of each row's largest weight. It belongs to the pages of the same result.
 *
 * Errors: INVALID_ARG for anything but a result of `attention`.
 *
 * @example
 * const seen = await attention(model, document);
 * const [page, file] = [render(seen, 'html'), attentionFile(seen)];
 * console.log(page.length, file.length);
 */
export function attentionFile(result: Attention): Uint8Array {
  if (typeof result !== 'object' || result === null || !('weights' in result)) {
    throw unexpected('INVALID_ARG', 'a result of attention for attentionFile', 'something else');
  }
  const given = withShares(result);
  const { tokens, layers, heads, weights } = given;
  const count = tokens.length;
  const packed = weights.flatMap(({ data }) =>
    heads.map((_, head) => deflateRawSync(quantizedHead(data.subarray(head * count * count, (head + 1) * count * count), count))),
  );
  const index: AttentionIndex = { key: attentionKey(given), tokens: count, layers, heads, bytes: packed.map(({ length }) => length) };
  const text = Buffer.from(JSON.stringify(index));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(text.length);
  return Buffer.concat([Buffer.from(kMagic), length, text, ...packed]);
}

/** What a page and its attention file have in common: a hash of the weights. */
export function attentionKey({ weights }: Pick<Attention, 'weights'>): string {
  const hash = createHash('sha256');
  for (const { data } of weights) hash.update(data);
  return hash.digest('hex').slice(0, 32);
}
