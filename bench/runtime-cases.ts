// What `npm run bench:runtime` measures, each in a process of its own. A case returns numbers by name, in milliseconds unless the name
// says otherwise.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { loadEmbedder, loadModel, setQueueLimit, type Embedder } from '../src/index.js';
import { packBatch } from '../src/runtime/batch.js';
import { Random } from '../test/support/random.js';
import { onnxRuntimeEngine } from './engines/onnxruntime.js';
import { startNeighbour } from './machine.js';
import { miniLm } from './models.js';

const kWords =
  'time year people way day man thing woman life child world school state family student group country problem hand part place'.split(' ');

/** Texts of about `mean` tokens, special tokens included. */
function texts(count: number, mean = 20, seed = 1): string[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () =>
    Array.from({ length: Math.max(1, Math.round((mean - 2) * (0.5 + random.next()))) }, () => random.pick(kWords)).join(' '),
  );
}

/** A text of exactly so many tokens. */
const textOf = (tokens: number): string => Array.from({ length: tokens - 2 }, (_, i) => kWords[i % kWords.length]).join(' ');

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}

async function withEmbedder<T>(threads: number, use: (embedder: Embedder) => Promise<T>): Promise<T> {
  const embedder = await loadEmbedder(undefined, { threads });
  try {
    await embedder.embed(texts(64));
    return await use(embedder);
  } finally {
    embedder.dispose();
  }
}

async function loopDelayWhile(work: () => Promise<unknown>): Promise<Record<string, number>> {
  const histogram = monitorEventLoopDelay({ resolution: 1 });
  histogram.enable();
  const started = performance.now();
  await work();
  const took = performance.now() - started;
  histogram.disable();
  return { p50: histogram.percentile(50) / 1e6, p99: histogram.percentile(99) / 1e6, max: histogram.max / 1e6, took };
}

async function medianOf(runs: number, work: () => Promise<unknown>): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < runs; i++) {
    const started = performance.now();
    await work();
    times.push(performance.now() - started);
  }
  return quantile(times, 0.5);
}

const spin = () => new Worker(new URL('data:text/javascript,for (;;);'));

/** Resident memory, what the process gave up first. */
async function residentMb(): Promise<number> {
  globalThis.gc?.();
  await sleep(50);
  globalThis.gc?.();
  return process.memoryUsage.rss() / 2 ** 20;
}

type Case = () => Promise<Record<string, number>>;

export const runtimeCases: Readonly<Record<string, Case>> = {
  'loop idle': async () => {
    const threads = [spin(), spin()];
    await sleep(300);
    const delay = await loopDelayWhile(() => sleep(4000));
    await Promise.all(threads.map((thread) => thread.terminate()));
    return delay;
  },
  'loop bertha': () => withEmbedder(2, (embedder) => loopDelayWhile(() => embedder.embed(texts(2000)))),
  'loop onnxruntime': async () => {
    const runner = await onnxRuntimeEngine('fp32').load(miniLm(undefined), 2);
    await runner.vectors(texts(64));
    const work = runner.text({ texts: texts(2000), ids: [], batchSize: 32, batching: 'arrival' });
    return loopDelayWhile(work);
  },
  interactive: () =>
    withEmbedder(2, async (embedder) => {
      const text = textOf(16);
      const alone: number[] = [];
      const beside: number[] = [];
      const once = async (times: number[]): Promise<void> => {
        const started = performance.now();
        await embedder.embed(text);
        times.push(performance.now() - started);
        await sleep(10);
      };
      for (let i = 0; i < 200; i++) await once(alone);
      const stop = new AbortController();
      let isRunning = true;
      const bulk = embedder
        .embed(texts(10_000), { priority: 'bulk', signal: stop.signal })
        .catch(() => undefined)
        .finally(() => (isRunning = false));
      await sleep(300);
      while (isRunning && beside.length < 600) await once(beside);
      stop.abort();
      await bulk;
      return {
        p50Alone: quantile(alone, 0.5),
        p99Alone: quantile(alone, 0.99),
        p50: quantile(beside, 0.5),
        p99: quantile(beside, 0.99),
        calls: beside.length,
      };
    }),
  concurrency: () =>
    withEmbedder(2, async (embedder) => {
      const all = texts(2000);
      const together = await medianOf(3, () => embedder.embed(all));
      const singly = await medianOf(3, async () => {
        let next = 0;
        const client = async (): Promise<void> => {
          while (next < all.length) await embedder.embed(all[next++]!);
        };
        await Promise.all(Array.from({ length: 64 }, client));
      });
      return { together, singly, ratio: together / singly };
    }),
  scaling: async () => {
    const bulk: number[] = [];
    const latency: number[] = [];
    const [one, two] = [await loadEmbedder(undefined, { threads: 1 }), await loadEmbedder(undefined, { threads: 2 })];
    const all = texts(1000);
    const text = textOf(32);
    for (const embedder of [one, two]) await embedder.embed(all.slice(0, 100));
    for (const embedder of [one, two]) {
      bulk.push(await medianOf(3, () => embedder.embed(all)));
      for (let i = 0; i < 20; i++) embedder.embedSync(text);
      latency.push(await medianOf(300, async () => embedder.embedSync(text)));
    }
    return {
      bulk1: bulk[0]!,
      bulk2: bulk[1]!,
      bulkRatio: bulk[0]! / bulk[1]!,
      latency1: latency[0]!,
      latency2: latency[1]!,
      latencyRatio: latency[0]! / latency[1]!,
    };
  },
  neighbour: async () => {
    const [one, two] = [await loadEmbedder(undefined, { threads: 1 }), await loadEmbedder(undefined, { threads: 2 })];
    const neighbour = startNeighbour();
    await sleep(500);
    const text = textOf(32);
    const all = texts(300);
    const result = { latency1: [] as number[], latency2: [] as number[], bulk1: [] as number[], bulk2: [] as number[] };
    for (let round = 0; round < 5; round++) {
      result.latency1.push(await medianOf(60, () => one.embed(text)));
      result.latency2.push(await medianOf(60, () => two.embed(text)));
      result.bulk1.push(await medianOf(1, () => one.embed(all)));
      result.bulk2.push(await medianOf(1, () => two.embed(all)));
    }
    neighbour.stop();
    const of = (values: readonly number[]): number => quantile(values, 0.5);
    return {
      latency1: of(result.latency1),
      latency2: of(result.latency2),
      latencyRatio: of(result.latency2) / of(result.latency1),
      bulkRatio: of(result.bulk2) / of(result.bulk1),
    };
  },
  'memory bertha': async () => {
    const empty = await residentMb();
    const embedder = await loadEmbedder(undefined, { threads: 2 });
    const some = texts(1000);
    for (const text of some) await embedder.embed(text);
    const loaded = await residentMb();
    for (let round = 0; round < 9; round++) for (const text of some) await embedder.embed(text);
    const flat = await residentMb();
    embedder.dispose();
    const cycles = async (count: number): Promise<void> => {
      for (let i = 0; i < count; i++) {
        const each = await loadEmbedder(undefined, { threads: 2 });
        await each.embed('a text');
        each.dispose();
      }
    };
    await cycles(20);
    const before = await residentMb();
    await cycles(200);
    const after = await residentMb();
    return {
      emptyMb: empty,
      loadedMb: loaded,
      kbPerEmbed: ((flat - loaded) * 1024) / 9000,
      mbPerCycle: (after - before) / 200,
      disposedMb: after,
    };
  },
  'memory onnxruntime': async () => {
    const runner = await onnxRuntimeEngine('fp32').load(miniLm(undefined), 2);
    for (const text of texts(1000)) await runner.vectors([text]);
    return { loadedMb: await residentMb() };
  },
  /** 200,000 calls that wait for one thread and are aborted by one signal. */
  aborts: async () => {
    const kCalls = 200_000;
    const model = await loadModel(undefined, { threads: 1 });
    setQueueLimit(2 ** 24);
    const stop = new AbortController();
    const batch = packBatch([{ ids: new Int32Array(32).fill(2000) }]);
    let ended = 0;
    const end = (): void => void ended++;
    const call = (): void => {
      void model.session.run(batch, [model.values.sentenceEmbedding], { signal: stop.signal, priority: 'bulk' }).then(end, end);
    };
    for (let made = 0; made < kCalls; made++) {
      call();
      if (made % 250 === 249) await new Promise(setImmediate);
    }
    globalThis.gc?.();
    const waiting = kCalls - ended;
    const { max, p99, took } = await loopDelayWhile(async () => {
      stop.abort();
      while (ended < kCalls) await sleep(1);
    });
    model.dispose();
    return { waiting, took: took!, p99: p99!, max: max! };
  },
  idle: () =>
    withEmbedder(2, async (embedder) => {
      await embedder.embed(texts(200));
      await sleep(100);
      const before = process.cpuUsage();
      await sleep(2000);
      const { user, system } = process.cpuUsage(before);
      return { cpuMs: (user + system) / 1000 };
    }),
};
