import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { asyncBufferFromFile, parquetReadObjects } from 'hyparquet';
import * as assert from 'uvu/assert';
import { loadVectors } from '../../src/index.js';
import type { Row, Store } from '../../packages/jobs/src/store/store.js';
import { chunk, documentWrite, storeSuite, testModel } from './support/stores.js';

const { t, folder, open } = storeSuite('store exports');
const documents = [documentWrite('b', ['one', 'two "ü" 🙂'], { lang: 'en', n: [1] }), documentWrite('a', ['three'])];

async function filled(name: string): Promise<{ store: Store; path: string }> {
  const path = join(folder, name);
  const store = await open(path);
  await store.prepare(testModel);
  await store.write({ run: await store.beginRun('p'), position: 0, documents, unchanged: [] });
  await store.finishRun(1);
  return { store, path };
}

const expected = [['a#0', 'three'], ['b#0', 'one'], ['b#1', 'two "ü" 🙂']]; // prettier-ignore

t('writes JSON lines whose numbers read back to the same float32, without what differs between runs', async () => {
  const { path } = await filled('rows.jsonl');
  const rows = readFileSync(path, 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Row & { embedding: number[] }); // prettier-ignore
  assert.equal(rows.map(({ id, text }) => [id, text]), expected); // prettier-ignore
  assert.equal(new Float32Array(rows[0]!.embedding), chunk('three').embedding);
  assert.equal(Object.keys(rows[1]!), ['id', 'docId', 'chunkNo', 'contentHash', 'text', 'start', 'end', 'metadata', 'embedding']);
  assert.equal(rows[1]!.metadata, { lang: 'en', n: [1] });
});

t('writes NumPy with the rest beside it', async () => {
  const { path } = await filled('rows.npy');
  const { data, dimensions } = (await loadVectors(path)) as { data: Float32Array; dimensions: number };
  assert.equal([data.length, dimensions], [48, 16]);
  assert.equal(data.subarray(16, 32), chunk('one').embedding);
  const lines = readFileSync(`${path}.jsonl`, 'utf8').trim().split('\n');
  assert.equal(lines.map((line) => (JSON.parse(line) as Row).id), ['a#0', 'b#0', 'b#1']); // prettier-ignore
});

t('writes Parquet with lists of float32', async () => {
  const { path } = await filled('rows.parquet');
  const rows = await parquetReadObjects({ file: await asyncBufferFromFile(path) });
  assert.equal(rows.map(({ id, text }) => [id, text]), expected); // prettier-ignore
  assert.equal(Float32Array.from(rows[2]!['embedding'] as number[]), chunk('two "ü" 🙂').embedding);
  assert.equal(JSON.parse(rows[2]!['metadata'] as string), { lang: 'en', n: [1] });
});

t('the next run writes the file anew, and nothing else is left', async () => {
  const { store, path } = await filled('again.jsonl');
  const run = await store.beginRun('q');
  await store.write({ run, position: 0, documents: [documentWrite('c', ['four'])], unchanged: ['a'] });
  await store.finishRun(run, { prune: true });
  const lines = readFileSync(path, 'utf8').trim().split('\n');
  assert.equal(lines.map((line) => (JSON.parse(line) as Row).id), ['a#0', 'c#0']); // prettier-ignore
  assert.equal(readdirSync(folder).filter((name) => name.endsWith('.part')), []); // prettier-ignore
  assert.equal((await store.matching('four', { topK: 1 })).map(({ id }) => id), ['c#0']); // prettier-ignore
});

t('a folder that is gone is told', async () => {
  const error = await open(join(folder, 'none', 'rows.jsonl')).catch((e: unknown) => e as { code: string });
  assert.is((error as { code: string }).code, 'IO');
});

t.run();
