import { join } from 'node:path';
import tokenizers from 'tokenizers';
import { batchesOf, timed, type Engine, type Runner, type Work } from '../engine.js';
import { noGraph } from '../models.js';
import { requireRival, rivalVersion } from '../rivals.js';

interface Tensor {
  readonly data: Float32Array;
}
interface InferenceSession {
  run(feeds: Record<string, Tensor>): Promise<Record<string, Tensor>>;
  release(): Promise<void>;
}
interface OnnxRuntime {
  readonly InferenceSession: { create(path: string, options: object): Promise<InferenceSession> };
  readonly Tensor: new (type: 'int64', data: BigInt64Array, dims: readonly number[]) => Tensor;
}
interface Batch {
  readonly feeds: Record<string, Tensor>;
  readonly mask: BigInt64Array;
  readonly rows: number;
  readonly width: number;
}

/**
 * A session with the settings that are best for it: every graph optimisation, threads within an op, which go on spinning for a while after
 * a run unless `spins` is false.
 */
async function createOnnxSession(path: string, threads: number, spins: boolean): Promise<InferenceSession> {
  const runtime = requireRival('onnxruntime-node') as OnnxRuntime;
  return runtime.InferenceSession.create(path, {
    executionProviders: ['cpu'],
    graphOptimizationLevel: 'all',
    executionMode: 'sequential',
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    ...(spins ? {} : { extra: { session: { intra_op: { allow_spinning: '0' } } } }),
  });
}

/** Token ids as the padded tensors of the ONNX graph. */
function padIds(ids: readonly Int32Array[]): Batch {
  const { Tensor } = requireRival('onnxruntime-node') as OnnxRuntime;
  const width = ids.reduce((longest, each) => Math.max(longest, each.length), 0);
  const [inputIds, mask] = [new BigInt64Array(ids.length * width), new BigInt64Array(ids.length * width)];
  ids.forEach((each, row) => {
    each.forEach((id, i) => (inputIds[row * width + i] = BigInt(id)));
    mask.fill(1n, row * width, row * width + each.length);
  });
  const tensor = (data: BigInt64Array) => new Tensor('int64', data, [ids.length, width]);
  const feeds = { input_ids: tensor(inputIds), attention_mask: tensor(mask), token_type_ids: tensor(new BigInt64Array(mask.length)) };
  return { feeds, mask, rows: ids.length, width };
}

/** Mean over the tokens that are not padding, divided by its length. */
function pool({ mask, rows, width }: Batch, hidden: Float32Array): Float32Array[] {
  const size = hidden.length / (rows * width);
  return Array.from({ length: rows }, (_, row) => {
    const vector = new Float32Array(size);
    for (let token = 0; token < width && mask[row * width + token] === 1n; token++) {
      const at = (row * width + token) * size;
      for (let i = 0; i < size; i++) vector[i]! += hidden[at + i]!;
    }
    const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0));
    return vector.map((value) => value / length);
  });
}

/** onnxruntime-node with the Rust tokenizer from npm and mean pooling in JavaScript. */
export function onnxRuntimeEngine(precision: 'fp32' | 'int8', { spins = true } = {}): Engine {
  return {
    name: `onnxruntime ${precision}${spins ? '' : ', no spinning'}`,
    precision,
    version: rivalVersion('onnxruntime-node'),
    isRival: true,
    packs: false,
    first: async (model, threads) => {
      const path = model.onnx[precision];
      if (path === undefined) throw noGraph(model, precision);
      const start = performance.now();
      const session = await createOnnxSession(path, threads, spins);
      await session.run(padIds([Int32Array.of(101, 7592, 2088, 102)]).feeds);
      const ms = performance.now() - start;
      await session.release();
      return ms;
    },
    load: async (model, threads): Promise<Runner> => {
      const path = model.onnx[precision];
      if (path === undefined) throw noGraph(model, precision);
      const session = await createOnnxSession(path, threads, spins);
      const tokenizer = tokenizers.Tokenizer.fromFile(join(model.directory, 'tokenizer.json'));
      tokenizer.setTruncation(512);
      tokenizer.disablePadding();
      const embed = async (work: Pick<Work, 'texts' | 'batchSize' | 'batching'>): Promise<Float32Array[]> => {
        const encodings = await tokenizer.encodeBatch([...work.texts]);
        const ids = encodings.map((encoding) => Int32Array.from(encoding.getIds()));
        const vectors = new Array<Float32Array>(ids.length);
        for (const indices of batchesOf({ ...work, ids })) {
          const batch = padIds(indices.map((i) => ids[i]!));
          const { last_hidden_state: hidden } = await session.run(batch.feeds);
          pool(batch, hidden!.data).forEach((vector, i) => (vectors[indices[i]!] = vector));
        }
        return vectors;
      };
      return {
        text: (work) => () => timed(() => embed(work)),
        encoder: (work) => {
          const batches = batchesOf(work).map((indices) => padIds(indices.map((i) => work.ids[i]!)));
          return () =>
            timed(async () => {
              for (const { feeds } of batches) await session.run(feeds);
            });
        },
        vectors: (texts) => embed({ texts, batchSize: 32, batching: 'arrival' }),
        dispose: () => session.release(),
      };
    },
  };
}
