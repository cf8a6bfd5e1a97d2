// `npm run bench:index [-- --texts N --rows N]`: what filling and searching a store costs. For each store: texts embedded a second beside `embedMany` of the same
// texts, in turns, rows written a second without a model, and the time of an exact search over them. Nothing else should run on the machine.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { loadEmbedder, type Embedder } from 'bertha-encoder';
import { indexDocuments } from '../../packages/jobs/src/indexing/index-documents.js';
import { openSource } from '../../packages/jobs/src/source/open-source.js';
import { openStore } from '../../packages/jobs/src/store/open-store.js';
import type { DocumentWrite, Store } from '../../packages/jobs/src/store/store.js';

const { values } = parseArgs({ options: { texts: { type: 'string', default: '1000' }, rows: { type: 'string', default: '20000' } } });
const [numTexts, numRows] = [Number(values.texts), Number(values.rows)];
const kGroup = 256;
const stores = ['sqlite.db', 'rows.jsonl', 'rows.npy', 'rows.parquet'];
const words = 'the a worker cat model vector index river store query light page night green music'.split(' ');
const folder = mkdtempSync(join(tmpdir(), 'bertha-bench-index-'));

const textOf = (i: number): string => Array.from({ length: 40 }, (_, k) => words[(i * 7 + k * k * 3 + i * k) % words.length]!).join(' ');
const seconds = async (work: () => Promise<unknown>): Promise<number> => {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
};
const opened = async (name: string, dimensions: number): Promise<Store> => {
  const store = await openStore(join(folder, name));
  await store.prepare({ key: 'drawn', name: 'drawn', dimensions, isNormalized: false });
  return store;
};

async function bulkRate(embedder: Embedder, texts: readonly string[]): Promise<number> {
  const all = await seconds(async () => {
    for await (const _ of embedder.embedMany(texts, { priority: 'bulk' }));
  });
  return texts.length / all;
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
  writing += await seconds(() => store.finishRun(run));
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

const embedder = await loadEmbedder();
try {
  const texts = Array.from({ length: numTexts }, (_, i) => textOf(i));
  const path = join(folder, 'texts.jsonl');
  writeFileSync(path, texts.map((text, i) => JSON.stringify({ id: i, text })).join('\n'));
  const { dimensions } = embedder;
  await bulkRate(embedder, texts.slice(0, 200));
  console.log(`${numTexts} texts of 40 words, ${numRows} rows of ${dimensions} numbers, the bundled model in fp32`);
  console.log('store           texts/s  embedMany  share    rows/s  search ms');
  for (const name of stores) {
    const bulk = await bulkRate(embedder, texts);
    const store = await openStore(join(folder, `texts-${name}`));
    const own = numTexts / (await seconds(async () => indexDocuments(await openSource([path]), store, embedder)));
    const drawn = await opened(`drawn-${name}`, dimensions);
    const rate = await writeRate(drawn, dimensions);
    const search = await searchMs(drawn, dimensions);
    const cells = [own.toFixed(0), bulk.toFixed(0), `${((100 * own) / bulk).toFixed(0)} %`, rate.toFixed(0), search.toFixed(1)];
    console.log(`${name.padEnd(14)}${[9, 11, 7, 10, 11].map((width, i) => cells[i]!.padStart(width)).join('')}`);
    await store.close();
    await drawn.close();
  }
  console.log(`memory: ${(process.resourceUsage().maxRSS / 1024).toFixed(0)} MB at most`);
} finally {
  embedder.dispose();
  rmSync(folder, { recursive: true });
}
