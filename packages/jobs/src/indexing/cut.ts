import { createHash } from 'node:crypto';
import { chunkText, type Embedder, type JsonObject } from 'bertha-encoder';
import type { Document } from '../source/source.js';
import type { ChunkWrite } from '../store/store.js';

/** How documents are cut. */
export interface CutOptions {
  /** Longest chunk in tokens, special tokens and the prompt included. */
  readonly chunkTokens: number;
  /** Most tokens that neighbouring chunks share. */
  readonly overlap: number;
}

/** Digits of a content hash: 128 bits. */
const kHashDigits = 32;

/** A hash of a document and of how it is cut. */
export function documentHash({ text, metadata }: Document, { chunkTokens, overlap }: CutOptions): string {
  return hashOf(text, [metadata, chunkTokens, overlap]);
}

/** A document's chunks, without vectors yet. Errors: MAX_LENGTH, INPUT_TOO_LARGE, the signal's reason. */
export async function cutDocument(
  embedder: Embedder,
  { text, metadata }: Document,
  { chunkTokens, overlap }: CutOptions,
  signal?: AbortSignal,
): Promise<ChunkWrite[]> {
  const options = { maxTokens: chunkTokens, overlap, prompt: embedder.prompts['document'] ?? '', signal };
  const chunks = await chunkText(embedder.tokenizer, text, options);
  return chunks.map((chunk) => {
    const { text: own, start, end } = chunk;
    return { contentHash: hashOf(own, [start, end, metadata]), text: own, start, end, metadata, embedding: undefined };
  });
}

function hashOf(text: string, others: readonly (JsonObject | number)[]): string {
  return createHash('sha256')
    .update(`${JSON.stringify(others)}\0`)
    .update(text)
    .digest('hex')
    .slice(0, kHashDigits);
}
