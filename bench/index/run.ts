// `npm run bench:index [-- --texts N --rows N --stores A,B --model DIR --lines FILE]`: what filling and searching a store costs. For each store: texts embedded a second
// beside `embedMany` of a part of them, before and after, and the time of the processor for a text, this process's and, where the store is a server, the server's; the time to
// end the run (index, file); memory at each tenth of the run; how many of the 10 exact neighbours a search finds; then rows written a second without a model, and the time of a
// search over them. A few thousand texts give the rates of 100,000. Nothing else should run on the machine; times of the processor bear company better than rates.
import { createReadStream, createWriteStream, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { createGunzip } from 'node:zlib';
import { loadEmbedder, semanticSearch, type Embedder } from 'bertha-encoder';
import { indexDocuments } from '../../packages/jobs/src/indexing/index-documents.js';
import { openSource } from '../../packages/jobs/src/source/open-source.js';
import { openStore } from '../../packages/jobs/src/store/open-store.js';
import type { DocumentWrite, Store } from '../../packages/jobs/src/store/store.js';
import { missingPeers } from '../../test/jobs/support/peers.js';
import { missing, startChroma, startPostgres, type Service } from '../../test/jobs/support/services.js';

const { values } = parseArgs({
  options: {
    texts: { type: 'string', default: '1000' },
    rows: { type: 'string', default: '20000' },
    stores: { type: 'string', default: 'sqlite.db,rows.jsonl,rows.npy,rows.parquet,postgres,chroma,rows.lancedb' },
    model: { type: 'string' },
    /** A file with a text a line, also .gz; else texts of 40 drawn words. */
    lines: { type: 'string' },
  },
});
const [numTexts, numRows] = [Number(values.texts), Number(values.rows)];
const kGroup = 256;
const kQuestions = 50;
const words = 'the a worker cat model vector index river store query light page night green music'.split(' ');
const folder = mkdtempSync(join(tmpdir(), 'bertha-bench-index-'));
const lacking: Readonly<Record<string, string | undefined>> = {
  postgres: missing.postgres,
  chroma: missing.chroma ?? missingPeers.chroma,
  'rows.lancedb': missingPeers.lance,
};
const wanted = values.stores.split(',').filter((name) => lacking[name] === undefined);
for (const name of values.stores.split(',')) if (lacking[name] !== undefined) console.log(`without ${name}: ${lacking[name]}`);
const services = new Map<string, Service>();
if (wanted.includes('postgres')) services.set('postgres', await startPostgres());
if (wanted.includes('chroma')) services.set('chroma', await startChroma());

const textOf = (i: number): string => Array.from({ length: 40 }, (_, k) => words[(i * 7 + k * k * 3 + i * k) % words.length]!).join(' ');

/** The texts, never all of them in memory. */
async function* textsOf(): AsyncGenerator<string> {
  if (values.lines === undefined) {
    for (let i = 0; i < numTexts; i++) yield textOf(i);
    return;
  }
  const bytes = createReadStream(values.lines);
  let count = 0;
  for await (const line of createInterface({ input: values.lines.endsWith('.gz') ? bytes.pipe(createGunzip()) : bytes })) {
    // What is shorter is mostly a heading.
    if (line.length < 40) continue;
    yield line;
    if (++count === numTexts) return;
  }
}

const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
};
const megabytes = (): number => process.memoryUsage().rss / 2 ** 20;

async function opened(name: string, purpose: string, dimensions?: number): Promise<Store> {
  const service = services.get(name);
  const store =
    service === undefined ? await openStore(join(folder, `${purpose}-${name}`)) : await openStore(service.url, { table: purpose });
  if (dimensions !== undefined) await store.prepare({ key: 'drawn', name: 'drawn', dimensions, isNormalized: false });
  return store;
}

/** Texts a second, and seconds of the processor for each thousand. */
interface Rate {
  readonly texts: number;
  readonly processor: number;
}

async function rateOf(count: number, work: () => Promise<unknown>): Promise<Rate> {
  const before = process.cpuUsage();
  const texts = count / (await seconds(work));
  const { user, system } = process.cpuUsage(before);
  return { texts, processor: (user + system) / 1000 / count };
}

function bulkRate(embedder: Embedder, texts: readonly string[]): Promise<Rate> {
  return rateOf(texts.length, async () => {
    for await (const _ of embedder.embedMany(texts, { priority: 'bulk', maxLength: Math.min(256, embedder.maxTokens) }));
  });
}

/** Seconds of the processor that a server has used, with all processes that it has started; Linux only. */
function serverSeconds(service: Service): number {
  let ticks = 0;
  const times = (pid: string): { parent: number; own: number; ended: number } | undefined => {
    try {
      const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)!.split(' ').map(Number);
      return { parent: fields[1]!, own: fields[11]! + fields[12]!, ended: fields[13]! + fields[14]! };
    } catch {
      return undefined;
    }
  };
  for (const name of process.platform === 'linux' ? readdirSync('/proc') : []) {
    const found = /^\d+$/.test(name) ? times(name) : undefined;
    if (found !== undefined && Number(name) === service.pid()) ticks += found.own + found.ended;
    else if (found?.parent === service.pid()) ticks += found.own;
  }
  return ticks / 100;
}

interface Filled extends Rate {
  /** At each tenth of the run. */
  readonly megabytes: readonly number[];
  /** Seconds that the end of the run took, which the rate leaves out. */
  readonly endSeconds: number;
}

/** Fills a store, from the beginning of the run on: the model's files, of which its key is made, are read before. Memory is looked at with each unit. */
async function fill(path: string, store: Store, embedder: Embedder): Promise<Filled> {
  const source = await openSource([path]);
  const memory: number[] = [];
  let [begin, filledSeconds, processor, endSeconds] = [0, 0, 0, 0];
  let before = process.cpuUsage();
  const beginRun = store.beginRun.bind(store);
  store.beginRun = (parameters) => {
    [begin, before] = [performance.now(), process.cpuUsage()];
    return beginRun(parameters);
  };
  const finishRun = store.finishRun.bind(store);
  store.finishRun = async (...args) => {
    const { user, system } = process.cpuUsage(before);
    filledSeconds = (performance.now() - begin) / 1000;
    processor = (user + system) / 1000 / numTexts;
    let result;
    endSeconds = await seconds(async () => (result = await finishRun(...args)));
    return result!;
  };
  await indexDocuments(source, store, embedder, {
    onProgress: ({ done, total }) => {
      while (memory.length < Math.floor((10 * done) / total!)) memory.push(megabytes());
    },
  });
  return { texts: numTexts / filledSeconds, processor, megabytes: memory, endSeconds };
}

/** How many of the 10 nearest of stored vectors a search finds, for every so many-th vector as a question, itself included. */
async function recallOf(store: Store): Promise<number> {
  const [ids, vectors]: [string[], Float32Array[]] = [[], []];
  for await (const { id, embedding } of store.rows()) {
    ids.push(id);
    vectors.push(embedding);
  }
  let hits = 0;
  for (let i = 0; i < kQuestions; i++) {
    const question = vectors[Math.floor((i * vectors.length) / kQuestions)]!;
    const exact = await semanticSearch(question, vectors, { topK: 10 });
    const found = await store.nearest(question, { topK: 10 });
    // Equal scores may change places.
    const chosen = await semanticSearch(question, found.map(({ embedding }) => embedding), { topK: 10 }); // prettier-ignore
    const least = exact.at(-1)!.score;
    hits += chosen.filter(({ score }) => score >= least - 1e-12).length;
  }
  return hits / (10 * kQuestions);
}

async function writeRate(store: Store, dimensions: number): Promise<number> {
  const run = await store.beginRun('bench');
  const documentOf = (i: number): DocumentWrite => {
    const embedding = Float32Array.from({ length: dimensions }, (_, k) => Math.sin(i * 31 + k));
    const chunk = { contentHash: `${i}`, text: textOf(i), start: 0, end: 100, metadata: { n: i }, embedding };
    return { docId: `d${i}`, contentHash: `${i}`, chunks: [chunk] };
  };
  let writing = 0;
  for (let i = 0; i < numRows; i += kGroup) {
    const documents = Array.from({ length: Math.min(kGroup, numRows - i) }, (_, k) => documentOf(i + k));
    writing += await seconds(() => store.write({ run, position: 0, documents, unchanged: [] }));
  }
  const index = await seconds(() => store.finishRun(run));
  console.log(`${''.padEnd(10)}${numRows} rows: ${writing.toFixed(1)} s to write, ${index.toFixed(1)} s to end the run (index, file)`);
  return numRows / writing;
}

async function searchMs(store: Store, dimensions: number): Promise<number> {
  const times: number[] = [];
  for (let i = 0; i < 7; i++) {
    const vector = Float32Array.from({ length: dimensions }, (_, k) => Math.cos(i * 17 + k));
    times.push(1000 * (await seconds(() => store.nearest(vector, { topK: 10 }))));
  }
  return times.sort((a, b) => a - b)[3]!;
}

const embedder = await loadEmbedder(values.model);
try {
  const path = join(folder, 'texts.jsonl');
  let number = 0;
  const sampleSize = Math.min(numTexts, 5000);
  /** Texts for `embedMany`, spread evenly. */
  const sample: string[] = [];
  const lines = async function* (): AsyncGenerator<string> {
    for await (const text of textsOf()) {
      if ((number * sampleSize) % numTexts < sampleSize) sample.push(text);
      yield `${JSON.stringify({ id: number++, text })}\n`;
    }
  };
  await pipeline(lines(), createWriteStream(path));
  if (number < numTexts) throw new Error(`Expected ${numTexts} texts in ${values.lines} but received ${number}.`);
  const { dimensions } = embedder;
  await bulkRate(embedder, sample.slice(0, 200));
  console.log(`${numTexts} texts, ${numRows} rows of ${dimensions} numbers, ${values.model ?? 'the bundled model in fp32'}`);
  for (const name of wanted) {
    const before = await bulkRate(embedder, sample);
    const store = await opened(name, 'texts');
    const service = services.get(name);
    const serverBefore = service === undefined ? 0 : serverSeconds(service);
    const own = await fill(path, store, embedder);
    const server =
      service === undefined ? '' : `, its server ${((1000 * (serverSeconds(service) - serverBefore)) / numTexts).toFixed(2)} ms`;
    const after = await bulkRate(embedder, sample);
    const bulk: Rate = { texts: 2 / (1 / before.texts + 1 / after.texts), processor: (before.processor + after.processor) / 2 };
    const percent = (part: number, whole: number): string => `${((100 * part) / whole).toFixed(0)} %`;
    console.log(
      `${name.padEnd(14)}${own.texts.toFixed(0)} texts/s (embedMany ${bulk.texts.toFixed(0)}: ${percent(own.texts, bulk.texts)}), processor ` +
        `${own.processor.toFixed(2)} ms a text (${bulk.processor.toFixed(2)}: ${percent(bulk.processor, own.processor)})${server}, ` +
        `end of the run ${own.endSeconds.toFixed(1)} s, memory ${own.megabytes.map((each) => each.toFixed(0)).join(', ')} MB, ` +
        `recall@10 ${(await recallOf(store)).toFixed(3)}`,
    );
    await store.close();
    if (numRows === 0) continue;
    const drawn = await opened(name, 'drawn', dimensions);
    const rate = await writeRate(drawn, dimensions);
    console.log(`${''.padEnd(14)}${rate.toFixed(0)} rows/s, ${(await searchMs(drawn, dimensions)).toFixed(1)} ms a search`);
    await drawn.close();
  }
} finally {
  embedder.dispose();
  for (const service of services.values()) await service.remove();
  rmSync(folder, { recursive: true });
}
