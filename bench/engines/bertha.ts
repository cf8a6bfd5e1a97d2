import { readFileSync } from 'node:fs';
import { loadEmbedder, loadModel, type LoadModelOptions } from '../../src/index.js';
import { packBatch } from '../../src/runtime/batch.js';
import { timed, type Engine, type Runner } from '../engine.js';

const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as { version: string };

/** The longest input of the cases; all-MiniLM-L6-v2 itself stops at 256 tokens, its positions at 512. */
const maxLength = 512;

/** Bertha at a precision. `sync`: on the caller's thread, as onnxruntime-node always computes. */
export function berthaEngine(precision: string, { sync = false } = {}): Engine {
  return {
    name: `bertha ${precision}${sync ? ' sync' : ''}`,
    precision,
    version,
    isRival: false,
    packs: true,
    first: async ({ directory }, threads, cache) => {
      const start = performance.now();
      const embedder = await loadEmbedder(directory, { threads, precision, weightCache: cache ?? false } as LoadModelOptions);
      await embedder.embed('hello world');
      const ms = performance.now() - start;
      embedder.dispose();
      return ms;
    },
    load: async ({ directory }, threads): Promise<Runner> => {
      const options = { threads, precision } as LoadModelOptions;
      const [embedder, model] = [await loadEmbedder(directory, options), await loadModel(directory, options)];
      const output = [model.values.normalizedEmbedding];
      return {
        text: ({ texts }) =>
          sync ? () => timed(() => embedder.embedSync(texts, { maxLength })) : () => timed(() => embedder.embed(texts, { maxLength })),
        encoder: ({ ids }) => {
          const batch = packBatch(ids.map((each) => ({ ids: each })));
          return sync ? () => timed(() => model.session.runSync(batch, output)) : () => timed(() => model.session.run(batch, output));
        },
        vectors: async (texts) => (await embedder.embed(texts, { normalize: true, maxLength })).map(({ vector }) => vector),
        dispose: async () => {
          embedder.dispose();
          model.dispose();
        },
      };
    },
  };
}
