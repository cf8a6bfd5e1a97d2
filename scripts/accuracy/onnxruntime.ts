import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { loadTokenizer } from '../../src/index.js';
import { normalizeInPlace } from '../../src/vectors/similarity.js';
import type { Embed } from './measure.js';
import { sharedFolder } from './texts.js';

/** What is used of onnxruntime-node, which is installed in bench/ alone. */
interface Onnxruntime {
  readonly InferenceSession: { create(path: string, options: object): Promise<Inference> };
  readonly Tensor: new (type: 'int64', data: BigInt64Array, dims: readonly number[]) => object;
}

interface Inference {
  readonly outputNames: readonly string[];
  run(
    feeds: Readonly<Record<string, object>>,
  ): Promise<Readonly<Record<string, { readonly data: Float32Array; readonly dims: readonly number[] }>>>;
}

/** The published int8 file in onnxruntime, one text a call, as its scales depend on the batch; undefined where one of them is missing. */
export async function onnxruntimeInt8(model: string): Promise<Embed | undefined> {
  const file = join(sharedFolder, 'models/all-MiniLM-L6-v2/model_quantized.onnx');
  const bench = fileURLToPath(new URL('../../bench/package.json', import.meta.url));
  if (!existsSync(file) || !existsSync(join(bench, '../node_modules/onnxruntime-node'))) return undefined;
  const { InferenceSession, Tensor } = createRequire(bench)('onnxruntime-node') as Onnxruntime;
  const session = await InferenceSession.create(file, { graphOptimizationLevel: 'all', intraOpNumThreads: 2 });
  const tokenizer = await loadTokenizer(model);
  return async (texts) => {
    const vectors: Float32Array[] = [];
    for (const text of texts) {
      const { ids } = tokenizer.encode(text, { truncation: true, maxLength: 256 });
      const tensor = (value: (id: number) => number) =>
        new Tensor(
          'int64',
          BigInt64Array.from(ids, (id) => BigInt(value(id))),
          [1, ids.length],
        );
      const feeds = { input_ids: tensor((id) => id), attention_mask: tensor(() => 1), token_type_ids: tensor(() => 0) };
      const { data, dims } = (await session.run(feeds))[session.outputNames[0]!]!;
      const vector = meanOfRows(data, dims[2]!);
      normalizeInPlace(vector);
      vectors.push(vector);
    }
    return vectors;
  };
}

function meanOfRows(data: Float32Array, width: number): Float32Array {
  const sum = new Float32Array(width);
  data.forEach((value, i) => (sum[i % width]! += (value * width) / data.length));
  return sum;
}
