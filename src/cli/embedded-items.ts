import { loadEmbedder, type Embedder, type Embedding, type LoadEmbedderOptions, type VectorMatrix } from '../index.js';
import { showDownload } from './terminal/download-progress.js';
import { openTexts } from './input.js';
import { showProgress } from './terminal/progress.js';
import type { Item } from './readers/item.js';
import { placed, textsOf, type TaskFlags } from './task-runner.js';

/** Texts in one list, and their vectors as rows of one matrix, in the same order. */
export interface EmbeddedItems {
  readonly items: readonly Item[];
  /** [texts, dimensions] */
  readonly vectors: VectorMatrix & { readonly data: Float32Array };
}

/** Loads the embedder that the flags name, and disposes of it after `work`. */
export async function withEmbedder<T>(flags: TaskFlags, work: (embedder: Embedder) => Promise<T>): Promise<T> {
  const { threads, precision, device, weightCache, adapter } = flags;
  const options = { threads, precision, device, weightCache, adapter, onProgress: showDownload() } as LoadEmbedderOptions;
  const embedder = await loadEmbedder(flags.model, options);
  try {
    return await work(embedder);
  } finally {
    embedder.dispose();
  }
}

/** Reads and embeds every text of a command; `embed` turns a block of texts into vectors. */
export async function embedItems(
  texts: readonly string[],
  flags: TaskFlags,
  dimensions: number,
  embed: (texts: readonly string[]) => Promise<readonly Embedding[]>,
): Promise<EmbeddedItems> {
  const source = await openTexts(texts, flags);
  const progress = showProgress('embedding', source);
  const items: Item[] = [];
  let data = new Float32Array(dimensions << 8);
  try {
    for await (const block of source.blocks) {
      const embeddings = await placed(block, items.length, () => embed(textsOf(block)));
      const needed = (items.length + block.length) * dimensions;
      if (needed > data.length) {
        const grown = new Float32Array(Math.max(needed, 2 * data.length));
        grown.set(data);
        data = grown;
      }
      embeddings.forEach(({ vector }, i) => data.set(vector, (items.length + i) * dimensions));
      for (const item of block) items.push(item);
      progress.add(block);
    }
  } finally {
    progress.stop();
  }
  return { items, vectors: { data: data.subarray(0, items.length * dimensions), dimensions } };
}
