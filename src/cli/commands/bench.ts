import os from 'node:os';
import { errorColors } from '../terminal/colors.js';
import { inspectModel, loadEmbedder, systemInfo, type Embedder, type Precision } from '../../index.js';
import { openOutput } from '../output.js';
import { table } from '../terminal/table.js';

/** The flags of `bertha bench`, as commander hands them over. */
export interface BenchFlags {
  readonly precision?: string;
  readonly seconds: number;
  readonly json?: boolean;
}

/** One way to run the model: milliseconds of a single text by tokens (median, 99th percentile), texts a second of the mix. */
interface Measurement {
  readonly precision: Precision;
  readonly threads: number;
  readonly single: readonly { readonly tokens: number; readonly medianMs: number; readonly p99Ms: number }[];
  readonly mixedTextsPerSecond: number;
  readonly mixedTokensPerSecond: number;
}

const kTokens = [8, 32, 128] as const;
const kMixedTexts = 256;
const kLeastRuns = 5;
/** Gains below are not worth another precision. */
const kWorthSwitching = 1.15;

/** Measures the model on this machine, text to vector, in each precision and with one thread and all, and says what to choose. */
export async function runBench(model: string | undefined, { precision, seconds, json }: BenchFlags): Promise<void> {
  const { isa, threads } = systemInfo();
  const stored = await inspectModel(model);
  // Weights that are stored as int8 are computed in nothing else.
  const computed = stored.parametersByDtype?.has('I8') === true ? ['int8'] : isa.precisions;
  const precisions = precision === undefined ? computed : [precision];
  const threadCounts = threads.pool === 1 ? [1] : [1, threads.pool];
  const measurements: Measurement[] = [];
  const share = (1000 * seconds) / (precisions.length * threadCounts.length * (kTokens.length + 1));
  for (const each of precisions) {
    for (const count of threadCounts) {
      if (process.stderr.isTTY) process.stderr.write(errorColors.dim(`${each}, ${count} threads …\n`));
      measurements.push(await measure(model, each as Precision, count, share));
    }
  }
  const machine = { cpu: os.cpus()[0]?.model.trim() ?? 'unknown CPU', isa: isa.chosen, threads: threads.pool, node: process.version };
  const advice = advise(measurements, threads.pool);
  const output = await openOutput(undefined, { patchable: false });
  await output.write(
    json === true ? `${JSON.stringify({ machine, measurements, advice }, undefined, 2)}\n` : describe(machine, measurements, advice),
  );
}

async function measure(model: string | undefined, precision: Precision, threads: number, budgetMs: number): Promise<Measurement> {
  const embedder = await loadEmbedder(model, { precision, threads });
  try {
    const single = [];
    for (const tokens of kTokens) {
      if (tokens > embedder.maxTokens) continue;
      const times = await repeat(budgetMs, () => embedder.embed(textOf(tokens)));
      single.push({ tokens, medianMs: at(times, 0.5), p99Ms: at(times, 0.99) });
    }
    return { precision, threads, single, ...(await measureMix(embedder, budgetMs)) };
  } finally {
    embedder.dispose();
  }
}

/** Lengths as in a search index: most short, some long; 25 tokens on average. */
async function measureMix(
  embedder: Embedder,
  budgetMs: number,
): Promise<Pick<Measurement, 'mixedTextsPerSecond' | 'mixedTokensPerSecond'>> {
  const texts = Array.from({ length: kMixedTexts }, (_, i) => textOf(6 + ((i * 37) % 29) + (i % 16 === 0 ? 90 : 0)));
  let tokens = 0;
  const times = await repeat(budgetMs, async () => {
    const embeddings = await embedder.embed(texts);
    tokens = embeddings.reduce((sum, embedding) => sum + embedding.tokens, 0);
  });
  const second = 1000 / at(times, 0.5);
  return { mixedTextsPerSecond: kMixedTexts * second, mixedTokensPerSecond: tokens * second };
}

/** Milliseconds of each run, in rising order; the first run warms up and is left out. */
async function repeat(budgetMs: number, run: () => Promise<unknown>): Promise<number[]> {
  await run();
  const times: number[] = [];
  for (const start = performance.now(); times.length < kLeastRuns || performance.now() - start < budgetMs;) {
    const before = performance.now();
    await run();
    times.push(performance.now() - before);
  }
  return times.sort((a, b) => a - b);
}

function at(sorted: readonly number[], share: number): number {
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))]!;
}

/** A text of so many tokens in most vocabularies: common words, [CLS] and [SEP]. */
function textOf(tokens: number): string {
  return 'the time of year when people come home '
    .repeat(Math.ceil(tokens / 8))
    .split(' ')
    .slice(0, Math.max(1, tokens - 2))
    .join(' ');
}

function advise(measurements: readonly Measurement[], pool: number): string[] {
  const first = measurements[0]!;
  const best = (speed: (each: Measurement) => number) => measurements.reduce((a, b) => (speed(b) > speed(a) ? b : a));
  const shortest = (each: Measurement) => 1 / (each.single[0]?.medianMs ?? Infinity);
  const pick = (what: string, speed: (each: Measurement) => number) => {
    const winner = best(speed);
    const gain = speed(winner) / speed(first);
    if (winner === first || gain < kWorthSwitching) return `${what}: ${first.precision} with ${threadsOf(first)} is as good as any.`;
    return `${what}: precision '${winner.precision}' with ${threadsOf(winner)}, ${gain.toFixed(1)} times as fast as ${first.precision} with ${threadsOf(first)}.`;
  };
  const advice = [pick('One short text at a time', shortest), pick('Many texts at once', (each) => each.mixedTextsPerSecond)];
  if (measurements.some(({ precision }) => precision.startsWith('int8'))) {
    advice.push('int8 moves vectors a little: bertha compare --precision int8 shows how far, docs/precision.md what it means for ranking.');
  }
  if (pool === 1) advice.push('This machine grants one thread; more would help many texts at once.');
  return advice;
}

function threadsOf({ threads }: Measurement): string {
  return threads === 1 ? '1 thread' : `${threads} threads`;
}

function describe(
  machine: Readonly<Record<string, string | number>>,
  measurements: readonly Measurement[],
  advice: readonly string[],
): string {
  const columns = [
    { name: 'precision', width: 13 },
    { name: 'threads', width: 7, align: 'right' as const },
    ...measurements[0]!.single.map(({ tokens }) => ({ name: `${tokens} tokens, ms`, width: 14, align: 'right' as const })),
    { name: 'mixed texts/s', width: 13, align: 'right' as const },
    { name: 'tokens/s', width: 9, align: 'right' as const },
  ];
  const rows = measurements.map(({ precision, threads, single, mixedTextsPerSecond, mixedTokensPerSecond }) => [
    precision,
    String(threads),
    ...single.map(({ medianMs, p99Ms }) => `${medianMs.toFixed(2)} (${p99Ms.toFixed(2)})`),
    mixedTextsPerSecond.toFixed(0),
    mixedTokensPerSecond.toFixed(0),
  ]);
  const { cpu, isa, node } = machine;
  return [
    `${cpu}, ${isa}, Node ${node}; text to vector, median (99th percentile)\n`,
    table(columns, rows, { header: true }),
    '\n',
    ...advice.map((line) => `${line}\n`),
  ].join('');
}
