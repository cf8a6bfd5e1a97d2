import { copyFileSync, existsSync, mkdirSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { batchesOf, timed, type BenchModel, type Engine, type Runner, type Work } from '../engine.js';
import { cacheFolder, noGraph } from '../models.js';
import { requireRival, rivalVersion } from '../rivals.js';

/** A pipeline: texts to vectors [texts, dimensions]. */
export interface Extractor {
  (texts: readonly string[], options: object): Promise<{ readonly data: Float32Array; readonly dims: readonly number[] }>;
  dispose(): Promise<void>;
}
interface Transformers {
  readonly env: { allowRemoteModels: boolean; localModelPath: string };
  pipeline(task: 'feature-extraction', model: string, options: object): Promise<Extractor>;
}

/** transformers.js reads models from a folder layout of its own: <models>/<name>/onnx/model.onnx. */
function layOut(model: BenchModel, onnx: string): string {
  const folder = join(cacheFolder, 'transformers', model.name);
  mkdirSync(join(folder, 'onnx'), { recursive: true });
  const copy = (from: string, to: string) => {
    if (!existsSync(to) || statSync(to).size !== statSync(from).size) copyFileSync(from, to);
  };
  for (const name of ['config.json', 'tokenizer.json', 'tokenizer_config.json']) copy(join(model.directory, name), join(folder, name));
  copy(onnx, join(folder, 'onnx', basename(onnx)));
  const weights = join(dirname(onnx), 'model.safetensors');
  if (existsSync(weights)) copy(weights, join(folder, 'onnx', 'model.safetensors'));
  return folder;
}

/** transformers.js's pipeline for sentence embeddings, on the CPU. */
export async function loadExtractor(model: BenchModel, threads: number, precision: 'fp32' | 'int8'): Promise<Extractor> {
  const onnx = model.onnx[precision];
  if (onnx === undefined) throw noGraph(model, precision);
  const transformers = requireRival('@huggingface/transformers') as Transformers;
  transformers.env.allowRemoteModels = false;
  transformers.env.localModelPath = dirname(layOut(model, onnx));
  return transformers.pipeline('feature-extraction', model.name, {
    dtype: precision === 'int8' ? 'q8' : 'fp32',
    device: 'cpu',
    session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
  });
}

/** @huggingface/transformers on the CPU; it cannot be entered behind its tokenizer. */
export function transformersEngine(): Engine {
  return {
    name: 'transformers.js fp32',
    precision: 'fp32',
    version: rivalVersion('@huggingface/transformers'),
    isRival: true,
    packs: false,
    load: async (model, threads): Promise<Runner> => {
      const extractor = await loadExtractor(model, threads, 'fp32');
      const embed = async (work: Pick<Work, 'texts' | 'ids' | 'batchSize' | 'batching'>): Promise<Float32Array[]> => {
        const vectors = new Array<Float32Array>(work.texts.length);
        for (const indices of batchesOf(work)) {
          const { data, dims } = await extractor(
            indices.map((i) => work.texts[i]!),
            { pooling: 'mean', normalize: true },
          );
          const width = dims[1]!;
          indices.forEach((index, row) => (vectors[index] = data.slice(row * width, (row + 1) * width)));
        }
        return vectors;
      };
      return {
        text: (work) => () => timed(() => embed(work)),
        vectors: (texts) => embed({ texts, ids: texts.map(() => new Int32Array(1)), batchSize: 32, batching: 'arrival' }),
        dispose: () => extractor.dispose(),
      };
    },
  };
}
