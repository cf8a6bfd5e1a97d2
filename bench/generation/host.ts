// The sides of `npm run bench:generation` that live in Node.js: the requests of bench/python/generation.py, answered likewise.
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { cpSync, existsSync } from 'node:fs';
import { nativeEngine } from '../../src/generation/native-engine.js';
import { loadModel } from '../../src/models/index.js';
import { version } from '../../src/version.js';
import { neutralSettings } from '../../test/support/search.js';
import { importRival, rivalVersion } from '../rivals.js';

interface Load {
  readonly do: 'load';
  readonly engine: 'bertha' | 'transformers.js';
  readonly precision: 'fp32' | 'bf16' | 'int8';
  readonly directory: string;
  readonly threads: number;
}
interface Work {
  readonly do: 'run';
  readonly sources: readonly (readonly number[])[];
  /** Tokens to be written for each source. */
  readonly lengths: readonly number[];
  readonly numBeams: number;
}
interface Side {
  readonly version: string;
  /** Tokens that were written for each source. */
  run(work: Work): Promise<readonly number[]>;
}

async function bertha({ directory, precision, threads }: Load): Promise<Side> {
  const model = await loadModel(directory, { precision, threads });
  const prompt = Int32Array.of(model.config.vocabSize - 1);
  const search = nativeEngine(model);
  return {
    version,
    run: ({ sources, lengths, numBeams }) =>
      Promise.all(
        sources.map(async (ids, i) => {
          const settings = { ...neutralSettings, numBeams, maxLength: lengths[i]! + 1 };
          const { sequences } = await search({ source: { ids: Int32Array.from(ids) }, prompt, settings }, {});
          return sequences[0]!.ids.length - 1;
        }),
      ),
  };
}

interface Tensor {
  readonly dims: readonly number[];
}
interface Transformers {
  readonly env: { allowRemoteModels: boolean; localModelPath: string };
  readonly Tensor: new (type: 'int64', data: BigInt64Array, dims: readonly number[]) => Tensor;
  readonly MarianMTModel: {
    from_pretrained(name: string, options: object): Promise<{ generate(options: object): Promise<Tensor> }>;
  };
}

/** It reads graphs from a folder of its own, which bench/python/export_marian.py has filled; it pads, and waits for the longest. */
async function transformersJs({ directory, precision, threads }: Load): Promise<Side> {
  const { env, MarianMTModel, Tensor } = (await importRival('@huggingface/transformers')) as Transformers;
  for (const name of ['config.json', 'generation_config.json'])
    if (!existsSync(join(directory, 'transformers', name))) cpSync(join(directory, name), join(directory, 'transformers', name));
  env.allowRemoteModels = false;
  env.localModelPath = directory;
  const model = await MarianMTModel.from_pretrained('transformers', {
    dtype: precision === 'int8' ? 'q8' : 'fp32',
    device: 'cpu',
    session_options: { intraOpNumThreads: threads, interOpNumThreads: 1 },
  });
  return {
    version: `${rivalVersion('@huggingface/transformers')}, onnxruntime-node ${rivalVersion('onnxruntime-node')}`,
    run: async ({ sources, lengths }) => {
      const width = Math.max(...sources.map(({ length }) => length));
      const [ids, mask] = [new BigInt64Array(sources.length * width), new BigInt64Array(sources.length * width)];
      sources.forEach((source, row) => {
        source.forEach((id, i) => (ids[row * width + i] = BigInt(id)));
        mask.fill(1n, row * width, row * width + source.length);
      });
      const longest = Math.max(...lengths);
      const written = await model.generate({
        inputs: new Tensor('int64', ids, [sources.length, width]),
        attention_mask: new Tensor('int64', mask, [sources.length, width]),
        min_new_tokens: longest,
        max_new_tokens: longest,
        do_sample: false,
      });
      return sources.map(() => Math.min(written.dims.at(-1)! - 1, longest));
    },
  };
}

let side: Side | undefined;

async function answer(request: Load | Work): Promise<object> {
  if (request.do === 'load') {
    side = await (request.engine === 'bertha' ? bertha(request) : transformersJs(request));
    return { version: side.version };
  }
  const begin = performance.now();
  const written = await side!.run(request);
  const ms = performance.now() - begin;
  const short = written.findIndex((count, i) => count < request.lengths[i]!);
  if (short >= 0) throw new Error(`Expected ${request.lengths[short]} tokens but the engine wrote ${written[short]}.`);
  return { ms };
}

for await (const line of createInterface({ input: process.stdin })) {
  try {
    process.stdout.write(`${JSON.stringify(await answer(JSON.parse(line) as Load | Work))}\n`);
  } catch (error) {
    process.stdout.write(`${JSON.stringify({ error: String(error) })}\n`);
  }
}
