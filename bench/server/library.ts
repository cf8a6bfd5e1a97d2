// The library without a server: argv[2] is { texts, precision, threads, seconds }. Prints milliseconds of one text after the other (median)
// and texts a second of one bulk call after the other, as one line of JSON.
import { loadEmbedder, type Precision } from '../../src/index.js';
import { defaultModelDirectory } from '../../src/runtime/default-model.js';

const { texts, precision, threads, seconds } = JSON.parse(process.argv[2]!) as {
  texts: readonly string[];
  precision: Precision;
  threads: number;
  seconds: number;
};
const embedder = await loadEmbedder(defaultModelDirectory(), { precision, threads });
const bulk = Array.from({ length: Math.ceil(2048 / texts.length) }, () => texts).flat();
await embedder.embed(bulk);

const single: number[] = [];
for (const end = performance.now() + 500 * seconds; performance.now() < end;) {
  const begin = performance.now();
  await embedder.embed(texts[single.length % texts.length]!);
  single.push(performance.now() - begin);
}
const begin = performance.now();
let done = 0;
while (performance.now() < begin + 1000 * seconds) done += (await embedder.embed(bulk, { priority: 'bulk' })).length;
const perSecond = (1000 * done) / (performance.now() - begin);
embedder.dispose();
process.stdout.write(`${JSON.stringify({ p50: single.toSorted((a, b) => a - b)[single.length >> 1], perSecond })}\n`);
