// The library without a server, in this process: argv[2] is the precision, argv[3] the number of threads. Answers each line of JSON, a
// `LibraryTurn`, with another, a `LibraryRates`.
import { createInterface } from 'node:readline';
import { loadEmbedder, type Precision } from '../../src/index.js';
import { defaultModelDirectory } from '../../src/runtime/default-model.js';
import type { LibraryRates, LibraryTurn } from './turn.js';

const [precision, threads] = [process.argv[2] as Precision, Number(process.argv[3])];
const kTriedTexts = 128;

const embedder = await loadEmbedder(defaultModelDirectory(), { precision, threads });
for await (const line of createInterface({ input: process.stdin })) {
  const turn = JSON.parse(line) as LibraryTurn;
  process.stdout.write(`${JSON.stringify(turn.isBulk ? await bulk(turn) : await single(turn))}\n`);
}

/** One text after the other. */
async function single({ texts, seconds }: LibraryTurn): Promise<LibraryRates> {
  const times: number[] = [];
  const send = async (count: number): Promise<void> => {
    const begin = performance.now();
    await embedder.embed(texts[count % texts.length]!);
    times.push(performance.now() - begin);
  };
  for (const end = performance.now() + 250 * seconds; performance.now() < end;) await send(times.length);
  times.length = 0;
  const [before, begin] = [process.cpuUsage(), performance.now()];
  while (performance.now() < begin + 1000 * seconds) await send(times.length);
  return rates(times.length, before, begin, times.toSorted((a, b) => a - b)[times.length >> 1]!);
}

/** One call of as many texts as take the time. */
async function bulk({ texts, seconds }: LibraryTurn): Promise<LibraryRates> {
  const repeated = (count: number): readonly string[] => Array.from({ length: count }, (_, i) => texts[i % texts.length]!);
  const tried = performance.now();
  await embedder.embed(repeated(kTriedTexts), { priority: 'bulk' });
  const many = repeated(Math.ceil((1000 * seconds * kTriedTexts) / (performance.now() - tried)));
  const [before, begin] = [process.cpuUsage(), performance.now()];
  await embedder.embed(many, { priority: 'bulk' });
  return rates(many.length, before, begin, NaN);
}

function rates(count: number, before: NodeJS.CpuUsage, begin: number, p50: number): LibraryRates {
  const { user, system } = process.cpuUsage(before);
  return { p50, perSecond: (1000 * count) / (performance.now() - begin), processorMs: (user + system) / 1000 / count };
}
