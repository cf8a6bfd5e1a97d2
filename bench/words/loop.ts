// `npm run bench:vectors -- --only loop`: what a service feels while the process learns or searches word vectors. Interactive calls embed 16
// tokens with the bundled model, one after the other; the delay of the event loop is measured beside them.
import { join } from 'node:path';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadEmbedder, type Embedder } from '../../src/index.js';
import { KeyedVectors, loadWordVectors, trainFastText, trainGloVe, trainWord2Vec } from '../../src/word-vectors/index.js';
import { writeDrawnCorpus } from './corpora.js';

const kVocabulary = 500_000;
const [kSize, kDimensions] = [400_000, 100];
const kText = 'time year people way day man thing woman life child world school state family';

interface Felt {
  readonly calls: number;
  readonly p50: number;
  readonly p99: number;
  readonly loopP99: number;
  readonly loopMax: number;
}

/** Milliseconds of embeds and of the event loop while `work` runs. */
async function measure(embedder: Embedder, work: () => Promise<unknown>): Promise<Felt> {
  const delay = monitorEventLoopDelay({ resolution: 1 });
  const times: number[] = [];
  let isDone = false;
  const embeds = (async () => {
    while (!isDone) {
      const begin = performance.now();
      await embedder.embed(kText);
      times.push(performance.now() - begin);
      await sleep(10);
    }
  })();
  delay.enable();
  await work().finally(() => (isDone = true));
  delay.disable();
  await embeds;
  const sorted = times.toSorted((a, b) => a - b);
  const quantile = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]!;
  // A timer of a millisecond is what the histogram measures; the rest of it is delay.
  const loopOf = (nanoseconds: number): number => Math.max(0, nanoseconds / 1e6 - 1);
  return {
    calls: times.length,
    p50: quantile(0.5),
    p99: quantile(0.99),
    loopP99: loopOf(delay.percentile(99)),
    loopMax: loopOf(delay.max),
  };
}

/** Prints a table. */
export async function measureLoop(folder: string, threads: number): Promise<void> {
  const corpus = join(folder, 'loop.txt');
  await writeDrawnCorpus(corpus, kVocabulary);
  const names = Array.from({ length: kSize }, (_, i) => `word${i}`);
  const data = Float32Array.from({ length: kSize * kDimensions }, (_, i) => Math.sin(i * 12.9898) * 0.5);
  const vectors = KeyedVectors.fromVectors(names, { data, dimensions: kDimensions });
  const file = join(folder, 'loop.safetensors');
  const common = { threads, minCount: 1, epochs: 1 };
  const embedder = await loadEmbedder();
  await embedder.embed(kText);
  process.stdout.write(
    '\nInteractive embeds of 16 tokens, target p50 twice the idle one; delay of the event loop, target p99 5 ms; milliseconds.\n\n',
  );
  process.stdout.write('| meanwhile | embeds | p50 | p99 | loop p99 | max |\n|---|---|---|---|---|---|\n');
  for (const [name, work] of Object.entries<() => Promise<unknown>>({
    idle: () => sleep(3000),
    'skip-gram, 500,000 words': () => trainWord2Vec(corpus, common),
    'CBOW by Huffman codes': () => trainWord2Vec(corpus, { ...common, sg: false, hs: true }),
    fastText: () => trainFastText(corpus, { ...common, bucket: 200_000 }),
    GloVe: () => trainGloVe(corpus, { ...common, epochs: 3 }),
    'save 400,000 x 100, int8': () => vectors.save(file, { quantize: 'int8' }),
    'load it': () => loadWordVectors(file),
    toMatrix: () => vectors.toMatrix(),
    'rank of a far word': () => vectors.rank('word1', 'word77777'),
    'mostSimilar, all words': () => vectors.mostSimilar('word1', { topN: kSize }),
  })) {
    const felt = await measure(embedder, work);
    const numbers = [felt.p50, felt.p99, felt.loopP99, felt.loopMax].map((each) => each.toFixed(1));
    process.stdout.write(`| ${[name, felt.calls, ...numbers].join(' | ')} |\n`);
  }
  embedder.dispose();
}
