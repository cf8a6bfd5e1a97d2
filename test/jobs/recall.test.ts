// Searches of stores that hold vectors of real texts, beside the exact order of `semanticSearch`: all of the 10 nearest where a store compares every row, 0.98 with HNSW.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { loadEmbedder, semanticSearch } from '../../src/index.js';
import type { OpenStoreOptions } from '../../packages/jobs/src/store/open-store.js';
import type { DocumentWrite, Store } from '../../packages/jobs/src/store/store.js';
import { isFull } from '../support/full.js';
import { skip } from '../support/skip.js';
import { missing, startPostgres } from './support/services.js';
import { storeSuite, testModel } from './support/stores.js';

const { t, folder, open } = storeSuite('recall on real texts');
const service = missing.postgres === undefined ? await startPostgres() : undefined;
const numTexts = isFull ? 10_000 : 1200;
const dimensions = 384;
let documents: DocumentWrite[] = [];
let questions: Float32Array[] = [];

t.before(async () => {
  // Sentences of this repository's pages, each once.
  const docs = fileURLToPath(new URL('../../docs', import.meta.url));
  const pages = readdirSync(docs, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.md')).sort(); // prettier-ignore
  const all = pages.flatMap((name) => readFileSync(join(docs, name), 'utf8').split(/[.;:|]\s|\n/));
  const texts = [...new Set(all.map((text) => text.trim()))].filter((text) => text.length > 30).slice(0, numTexts + 30);
  const embedder = await loadEmbedder();
  const vectors = (await embedder.encodeDocument(texts, { maxLength: 24 })).map(({ vector }) => vector);
  embedder.dispose();
  questions = vectors.splice(0, 30);
  assert.ok(vectors.length >= 1000, `${vectors.length} texts`);
  documents = vectors.map((embedding, i) => {
    const chunk = { contentHash: `${i}`, text: texts[i + 30]!, start: 0, end: 1, metadata: {}, embedding };
    return { docId: `d${i}`, contentHash: `${i}`, chunks: [chunk] };
  });
});
t.after(async () => void (await service?.remove()));

async function recall(url: string, options?: OpenStoreOptions): Promise<number> {
  const store: Store = await open(url, options);
  await store.prepare({ ...testModel, dimensions });
  const run = await store.beginRun('p');
  for (let i = 0; i < documents.length; i += 512)
    await store.write({ run, position: 0, documents: documents.slice(i, i + 512), unchanged: [] });
  await store.finishRun(run);
  const vectors = documents.map(({ chunks }) => chunks[0]!.embedding!);
  let hits = 0;
  for (const question of questions) {
    const exact = await semanticSearch(question, vectors, { topK: 10 });
    const found = new Set((await store.nearest(question, { topK: 10 })).map(({ docId }) => docId));
    hits += exact.filter(({ index }) => found.has(`d${index}`)).length;
  }
  return hits / (10 * questions.length);
}

t('sqlite finds all of the 10 nearest', async () => {
  assert.is(await recall(join(folder, 'recall.db')), 1);
});

t('postgres finds all of the 10 nearest without an index', async () => {
  if (service === undefined) return skip(missing.postgres!);
  assert.is(await recall(service.url, { table: 'exact', indexFromRows: 1_000_000 }), 1);
});

for (const kind of ['vector', 'halfvec', 'binary'] as const) {
  t(`postgres finds 98 % of the 10 nearest with HNSW over ${kind}`, async () => {
    if (service === undefined) return skip(missing.postgres!);
    const found = await recall(service.url, { table: `hnsw_${kind}`, vectorIndex: kind, indexFromRows: 1 });
    process.stdout.write(`recall@10 over ${documents.length} texts, ${kind}: ${found.toFixed(4)}\n`);
    assert.ok(found >= 0.98, `${found}`);
  });
}

t.run();
