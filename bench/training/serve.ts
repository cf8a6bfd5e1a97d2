// What a service feels while the process trains: npm run bench:training -- --serve [--threads N] [--seconds N]. Each case runs in a process of
// its own: `--case NAME` is that process. Interactive calls embed 16 tokens with the bundled model; a second model of the same size learns
// on all threads, batches of 32 texts of 128 tokens, with whatever its trainer does on the event loop.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { loadEmbedder, stats } from '../../src/index.js';
import { train, type DatasetSource, type TrainModelOptions } from '../../src/training/index.js';
import { describeMachine } from '../machine.js';

const kWords =
  'time year people way day man thing woman life child world school state family student group country problem hand part place'.split(' ');
const text = (tokens: number, first = 0): string =>
  Array.from({ length: tokens - 2 }, (_, i) => kWords[(first + i) % kWords.length]).join(' ');
const rows = (count: number) => Array.from({ length: count }, (_, i) => ({ text: text(128, i), label: i % 2 === 0 ? 'yes' : 'no' }));
const size = { perDeviceTrainBatchSize: 32, perDeviceEvalBatchSize: 32, learningRate: 1e-5, numTrainEpochs: 1000, progress: false };

/** What trains; undefined: nothing. Whatever it is, it is stopped after the measurement. */
const cases: Readonly<
  Record<string, (() => { readonly data: DatasetSource; readonly options: Omit<TrainModelOptions, 'signal'> }) | undefined>
> = {
  idle: undefined,
  classification: () => ({ data: rows(2000), options: { task: 'text-classification', ...size } }),
  'evaluation and checkpoints after every step': () => ({
    data: rows(2000),
    options: {
      task: 'text-classification',
      ...size,
      evalDataset: rows(64),
      evalStrategy: 'steps',
      evalSteps: 1,
      saveSteps: 1,
      saveTotalLimit: 1,
    },
  }),
  'masked words': () => ({ data: rows(2000).map(({ text }) => ({ text })), options: { task: 'fill-mask', ...size } }),
  'masked words, evaluation after every step': () => ({
    data: rows(2000).map(({ text }) => ({ text })),
    options: { task: 'fill-mask', ...size, evalDataset: rows(64).map(({ text }) => ({ text })), evalStrategy: 'steps', evalSteps: 1 },
  }),
};

function quantile(values: readonly number[], q: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
}

/** Milliseconds by name, of one case. */
async function measure(name: string, seconds: number, threads: number): Promise<Record<string, number>> {
  const embedder = await loadEmbedder();
  const outputDir = mkdtempSync(path.join(tmpdir(), 'bertha-serve-'));
  const stop = new AbortController();
  const training = cases[name]?.();
  const done =
    training === undefined
      ? undefined
      : train(undefined, training.data, { ...training.options, outputDir, threads, signal: stop.signal }).catch((error: unknown) => {
          if (!stop.signal.aborted) throw error;
        });
  try {
    const input = text(16);
    for (let i = 0; i < 20; i++) await embedder.embed(input);
    while (done !== undefined && stats().training.steps < 3) await Promise.race([sleep(20), done]);
    const times: number[] = [];
    const delay = monitorEventLoopDelay({ resolution: 1 });
    delay.enable();
    const before = stats().training;
    const begun = performance.now();
    while (performance.now() - begun < seconds * 1000) {
      const started = performance.now();
      await embedder.embed(input);
      times.push(performance.now() - started);
      await sleep(10);
    }
    delay.disable();
    const after = stats().training;
    return {
      calls: times.length,
      p50: quantile(times, 0.5),
      p99: quantile(times, 0.99),
      max: Math.max(...times),
      loopP50: delay.percentile(50) / 1e6,
      loopP99: delay.percentile(99) / 1e6,
      loopMax: delay.max / 1e6,
      slice: after.longestSliceMs,
      steps: after.steps - before.steps,
      tokensPerSecond: ((after.tokens - before.tokens) * 1000) / (performance.now() - begun),
    };
  } finally {
    stop.abort();
    await done;
    embedder.dispose();
    rmSync(outputDir, { recursive: true, force: true });
  }
}

const { values } = parseArgs({
  options: {
    serve: { type: 'boolean' },
    case: { type: 'string' },
    seconds: { type: 'string', default: '12' },
    threads: { type: 'string', default: '2' },
  },
});
if (values.case !== undefined) {
  console.log(JSON.stringify(await measure(values.case, Number(values.seconds), Number(values.threads))));
} else {
  const machine = describeMachine();
  console.log(`${machine.cpu}, ${machine.family}, ${machine.instructionSet}, Node ${machine.node}, ${values.threads} threads`);
  console.log('Interactive embed of 16 tokens, target p99 10 ms; delay of the event loop, target p99 5 ms; milliseconds.\n');
  console.log('| the process trains | embed p50 | p99 | max | loop p50 | p99 | max | longest slice | steps | tokens/s |');
  console.log('|---|---|---|---|---|---|---|---|---|---|');
  for (const name of Object.keys(cases)) {
    const args = [
      '--import',
      'tsx',
      fileURLToPath(import.meta.url),
      '--case',
      name,
      '--seconds',
      values.seconds,
      '--threads',
      values.threads,
    ];
    const { stdout, status } = spawnSync(process.execPath, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
    if (status !== 0) throw new Error(`${name} ended with ${status}`);
    const found = JSON.parse(stdout) as Record<string, number>;
    const columns = ['p50', 'p99', 'max', 'loopP50', 'loopP99', 'loopMax', 'slice'].map((key) => found[key]!.toFixed(1));
    console.log(`| ${[name, ...columns, found['steps'], found['tokensPerSecond']!.toFixed(0)].join(' | ')} |`);
  }
}
