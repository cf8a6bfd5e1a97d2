import { loadEmbedder, type Embedder, type LoadEmbedderOptions } from 'bertha-encoder';
import type { ModelOptions } from '../indexing/model-key.js';
import { wholeNumber, type Typed } from './flags.js';

/** Loads the embedder that the flags name, or else `stored`, the store's; disposes of it after `work`. */
export async function withEmbedder<T>(
  typed: Typed,
  stored: string | undefined,
  work: (embedder: Embedder, options: ModelOptions) => Promise<T>,
): Promise<T> {
  const { precision, device, adapter } = typed.texts;
  const name = typed.texts['model'] ?? stored ?? '';
  const options = Object.fromEntries(
    Object.entries({ threads: wholeNumber(typed, 'threads'), precision, device, adapter }).filter(([, value]) => value !== undefined),
  ) as LoadEmbedderOptions;
  const embedder = await (name === '' ? loadEmbedder(undefined, options) : loadEmbedder(name, options));
  try {
    return await work(embedder, { modelName: name, adapter });
  } finally {
    embedder.dispose();
  }
}
