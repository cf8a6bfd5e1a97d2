// `npm run bench:generation -- --beside [--seconds 10] [--precision fp32]`: what a service feels while the process generates bulk texts of the base's shape, 16 at
// once with 4 beams: the latency of an interactive embedding (MiniLM, one text of 7 words every 20 ms) and the delay of the event loop. Gates: p99 at most 10 ms and 5 ms.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { loadEmbedder, loadModel } from '../../src/index.js';
import { nativeEngine } from '../../src/generation/native-engine.js';
import { Random } from '../../test/support/random.js';
import { neutralSettings } from '../../test/support/search.js';
import { randomMarian } from './marian.js';

const { values } = parseArgs({
  options: {
    beside: { type: 'boolean' },
    small: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '10' },
    precision: { type: 'string', default: 'fp32' },
  },
});
const { directory, vocabSize } = randomMarian(values.small);
const precision = values.precision as 'fp32' | 'bf16' | 'int8';
const writer = await loadModel(directory, { precision });
const embedder = await loadEmbedder();
const random = new Random(1);
const search = nativeEngine(writer);
const until = performance.now() + Number(values.seconds) * 1000;
let tokens = 0;

async function write(): Promise<void> {
  while (performance.now() < until) {
    const source = { ids: random.integers(24, 0, vocabSize - 1) };
    const settings = { ...neutralSettings, numBeams: 4, maxLength: 25 };
    const { sequences } = await search({ source, prompt: Int32Array.of(vocabSize - 1), settings }, { priority: 'bulk' });
    tokens += sequences[0]!.ids.length - 1;
  }
}

/** Milliseconds of one embedding after the other. */
async function listen(): Promise<number[]> {
  const times: number[] = [];
  while (performance.now() < until) {
    const begin = performance.now();
    await embedder.embed('Where is the nearest station from here?');
    times.push(performance.now() - begin);
    await sleep(20);
  }
  return times;
}

await embedder.embed('Where is the nearest station from here?');
const loop = monitorEventLoopDelay({ resolution: 1 });
loop.enable();
const [times] = await Promise.all([listen(), ...Array.from({ length: 16 }, write)]);
loop.disable();
const sorted = times.sort((a, b) => a - b);
const at = (q: number): number => sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]!;
const delay = loop.percentile(99) / 1e6 - 1; // less its own resolution
const verdict = (value: number, most: number): string => (value <= most ? `at most ${most}: ok` : `more than ${most}: MISSED`);
process.stdout.write(
  `${precision}, ${(tokens / Number(values.seconds)).toFixed(0)} tokens/s of bulk texts beside ${times.length} interactive embeddings: median ${at(0.5).toFixed(2)} ms\n` +
    `  embedding p99 ${at(0.99).toFixed(2)} ms (${verdict(at(0.99), 10)})\n  event loop p99 ${delay.toFixed(2)} ms (${verdict(delay, 5)})\n`,
);
