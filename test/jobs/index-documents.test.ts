import { appendFileSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { loadEmbedder, loadModel, type Embedder } from '../../src/index.js';
import { indexDocuments, type IndexOptions, type IndexReport } from '../../packages/jobs/src/indexing/index-documents.js';
import { storedModelOf } from '../../packages/jobs/src/indexing/model-key.js';
import { search } from '../../packages/jobs/src/search/search.js';
import { openSource } from '../../packages/jobs/src/source/open-source.js';
import type { BadRow } from '../../packages/jobs/src/source/source.js';
import type { Store } from '../../packages/jobs/src/store/store.js';
import { golden } from '../support/golden-path.js';
import { rowsOf, storeSuite } from './support/stores.js';

const { t, folder, open } = storeSuite('indexDocuments');
let embedder: Embedder;
t.before(async () => void (embedder = await loadEmbedder(golden('sentence/normalize'))));
t.after(() => embedder.dispose());

let numbers = 0;
/** A folder with files, and what indexes it into a store of its own. */
async function setUp(files: Readonly<Record<string, string>>): Promise<Setting> {
  const place = join(folder, String(numbers++));
  const path = (name: string): string => join(place, name);
  const put = (name: string, text: string): void => {
    mkdirSync(dirname(path(name)), { recursive: true });
    writeFileSync(path(name), text);
  };
  for (const [name, text] of Object.entries(files)) put(name, text);
  const store = await open(join(folder, `${numbers}.db`));
  const bad: BadRow[] = [];
  const index = async (options: IndexOptions = {}, paths = [place]): Promise<IndexReport> =>
    indexDocuments(await openSource(paths), store, embedder, {
      chunkTokens: 16,
      overlap: 2,
      onBad: (row) => void bad.push(row),
      ...options,
    });
  return { path, put, store, bad, index };
}

interface Setting {
  path(name: string): string;
  put(name: string, text: string): void;
  readonly store: Store;
  readonly bad: BadRow[];
  index(options?: IndexOptions, paths?: string[]): Promise<IndexReport>;
}

const long = (word: string, count = 60): string => Array.from({ length: count }, (_, i) => `The ${word} number ${i} is here.`).join(' ');
const files = { 'a.md': long('cat'), 'b/c.txt': 'A single line.', 'd.html': '<title>T</title><h1>Head</h1><p>Body &amp; soul', 'e.md': '' };

t('fills a store with the chunks that chunkText makes and the vectors that the model gives them', async () => {
  const { store, index, path } = await setUp(files);
  const report = await index();
  assert.equal([report.documents, report.bad, report.embedded], [4, 0, report.rowsWritten]);
  let count = 0;
  for await (const row of store.rows()) {
    count++;
    const { vector } = await embedder.encodeDocument(row.text, { maxLength: 16 });
    assert.equal(row.embedding, vector, row.id);
    if (row.docId === path('a.md')) assert.is(long('cat').slice(row.start, row.end), row.text);
    if (row.docId === path('d.html')) assert.equal(row.metadata, { path: path('d.html'), title: 'T' });
  }
  assert.is(count, report.rowsWritten);
  assert.ok(count > 20);
});

t('a second run embeds nothing and leaves the same rows', async () => {
  const { store, index } = await setUp(files);
  await index();
  const before = await rowsOf(store);
  const { embedded, rowsWritten, rowsDeleted, documentsUnchanged, run } = await index();
  assert.equal({ embedded, rowsWritten, rowsDeleted, documentsUnchanged, run }, { embedded: 0, rowsWritten: 0, rowsDeleted: 0, documentsUnchanged: 4, run: 2 }); // prettier-ignore
  assert.equal(await rowsOf(store), before);
});

t('changed, shrunk and new documents leave the rows of a first run over them', async () => {
  const { store, index, put } = await setUp(files);
  await index();
  put('a.md', `${long('cat', 30)} And one more.`);
  put('new.md', long('dog', 5));
  const { embedded } = await index();
  assert.ok(embedded < 40, `${embedded}`);
  const rows = await rowsOf(store);
  const again = await open(join(folder, `again ${numbers}.db`));
  const place = dirname(JSON.parse(rows[0]!).docId as string);
  await indexDocuments(await openSource([place]), again, embedder, { chunkTokens: 16, overlap: 2 });
  assert.equal(rows, await rowsOf(again));
});

t('other options of cutting make other chunks', async () => {
  const { store, index } = await setUp({ 'a.md': long('cat') });
  const { rowsWritten } = await index();
  const second = await index({ chunkTokens: 8 });
  assert.ok(second.rowsWritten > rowsWritten);
  assert.is((await store.size()).rows, second.rowsWritten);
});

t('removes documents that are gone only when it is told to', async () => {
  const { store, index, path } = await setUp(files);
  await index();
  rmSync(path('b/c.txt'));
  assert.is((await index()).documentsPruned, 0);
  assert.is((await store.size()).documents, 4);
  assert.is((await index({ prune: true })).documentsPruned, 1);
  assert.equal([...(await store.documents([path('b/c.txt')])).keys()], []);
});

t('goes on where a signal ended it: finished units are not read again, and the rows are those of one run', async () => {
  const lines = Array.from({ length: 700 }, (_, i) => JSON.stringify({ id: `n${i}`, text: `Line ${i} about cats. ${'x'.repeat(900)}` }));
  const { store, index, path } = await setUp({ 'x.jsonl': `${lines.join('\n')}\n` });
  const stop = new AbortController();
  const reason = new Error('enough');
  const error = await index({ signal: stop.signal, concurrency: 1, onProgress: () => stop.abort(reason) }).catch((e: unknown) => e);
  assert.is(error, reason);
  const { documents } = await store.size();
  assert.ok(documents > 0 && documents < 700, `${documents}`);
  const report = await index();
  assert.is(report.run, 1);
  assert.ok(report.unitsSkipped > 0 && report.documents < 700, JSON.stringify(report));
  const whole = await open(join(folder, 'whole.db'));
  await indexDocuments(await openSource([path('x.jsonl')]), whole, embedder, { chunkTokens: 16, overlap: 2 });
  assert.equal(await rowsOf(store), await rowsOf(whole));
});

const manyLines = {
  'many.jsonl': Array.from({ length: 700 }, (_, i) => JSON.stringify({ id: i, text: `Line ${i} is short.` })).join('\n'),
};

t('one group of documents is written while the next is computed; the mark of the unit comes last', async () => {
  const { store, index } = await setUp(manyLines);
  const write = store.write.bind(store);
  const [began, marks]: [number[], (string | undefined)[]] = [[], []];
  let letGo: () => void = () => undefined;
  const third = new Promise<void>((resolve) => (letGo = resolve));
  store.write = async (batch, signal) => {
    began.push(batch.documents.length);
    // The first one waits for the next: one after the other, it would wait for ever.
    if (began.length === 2) letGo();
    if (began.length === 1) await third;
    marks.push(batch.doneUnit);
    return write(batch, signal);
  };
  assert.is((await index()).rowsWritten, 700);
  assert.equal(began, [256, 256, 188]);
  assert.equal(marks.slice(0, 2), [undefined, undefined]);
  assert.ok(marks[2] !== undefined);
});

t('where a group cannot be written nothing is written later, and the unit is not done', async () => {
  const { store, index } = await setUp(manyLines);
  const write = store.write.bind(store);
  let writing = 0;
  let count = 0;
  store.write = async (batch, signal) => {
    writing++;
    try {
      if (count++ === 0) throw new Error('no room');
      return await write(batch, signal);
    } finally {
      writing--;
    }
  };
  assert.is(await index().then(() => 'nothing', (error: Error) => error.message), 'no room'); // prettier-ignore
  const rows = (await store.size()).rows;
  assert.is(writing, 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  assert.is((await store.size()).rows, rows);
  store.write = write;
  assert.is((await index()).rowsWritten + rows, 700);
});

t('bad rows are told with their places, the others go on', async () => {
  const records = ['{"id":"a","text":"good"}', '{"id":"b"}', 'not json', '{"id":"c","text":7}', '[1]', '{"id":"","text":"x"}', '"text"', '{"id":"half \\ud800","text":"x"}', '{"id":"d","text":"also good","n":1}']; // prettier-ignore
  const { store, index, bad, path } = await setUp({ 'r.jsonl': records.join('\n'), 'ok.md': 'fine' });
  appendFileSync(path('r.jsonl'), Buffer.from([0x0a, 0x22, 0xff, 0xfe, 0x22]));
  writeFileSync(path('bytes.txt'), Buffer.from([0x61, 0xc3, 0x28]));
  const report = await index();
  assert.is(report.bad, 9);
  assert.is((await store.size()).documents, 3);
  assert.equal(bad.map(({ problem }) => problem.replace(/ (?:but|in JSON|is not valid).*/, '').slice(0, 34)).length, 9);
  const places = bad.map(({ place }) => place);
  assert.ok(places.includes(path('bytes.txt')) && places.includes(`byte 25 of ${path('r.jsonl')}`), places.join('\n'));
});

t('of an id that stands twice the first document is used, and a second run changes nothing', async () => {
  const record = (id: string, text: string): string => JSON.stringify({ id, text });
  const filler = Array.from({ length: 400 }, (_, i) => record(`f${i}`, 'x'.repeat(1000)));
  const lines = [record('a', 'the first'), record('b', 'once'), record('a', 'the second'), ...filler, record('b', 'far away')];
  const { store, index, bad } = await setUp({ 'x.jsonl': lines.join('\n') });
  const { documents } = await index({ concurrency: 1 });
  assert.is(documents, 402);
  assert.equal(bad.map(({ place }) => place), ['document "a"', 'document "b"']); // prettier-ignore
  const before = await rowsOf(store);
  assert.ok(before.some((row) => row.includes('the first')) && !before.some((row) => row.includes('far away')));
  assert.is((await index({ concurrency: 1 })).embedded, 0);
  assert.equal(await rowsOf(store), before);
});

t("a text of 10 MB is cut and stored, by the model's own limit", async () => {
  const { store, index } = await setUp({ 'big.txt': `${'x'.repeat(5e6)} ${' '.repeat(5e6)} end` });
  const report = await index();
  assert.equal([report.documents, report.bad], [1, 0]);
  assert.is((await store.size()).rows, report.embedded);
});

t('refuses options that the model cannot have', async () => {
  const { index } = await setUp({ 'a.md': 'a' });
  const code = async (options: IndexOptions): Promise<unknown> => index(options).catch((error: { code: string }) => error.code);
  assert.equal(
    [await code({ chunkTokens: 1e6 }), await code({ chunkTokens: 2 }), await code({ overlap: 16 }), await code({ concurrency: 0 })],
    ['MAX_LENGTH', 'MAX_LENGTH', 'INVALID_OPTION', 'INVALID_OPTION'],
  );
});

t("refuses a store with another model's vectors, for indexing and for searching", async () => {
  const { store, index } = await setUp({ 'a.md': 'a text' });
  await index();
  const other = await loadEmbedder(golden('sentence/pooling-cls'));
  try {
    const source = await openSource([golden('sentence/pooling-cls/config.json')]);
    const codes = [indexDocuments(source, store, other, { chunkTokens: 16 }), search(store, 'a', { embedder: other })].map((promise) =>
      promise.catch((error: { code: string }) => error.code),
    );
    assert.equal(await Promise.all(codes), ['STORE_MISMATCH', 'STORE_MISMATCH']);
    assert.is.not((await storedModelOf(other)).key, store.model!.key);
  } finally {
    other.dispose();
  }
});

t('searches by meaning, by words and by both, with filters and a cross-encoder', async () => {
  const { store, index, path } = await setUp({ 'a.md': 'a cat sat', 'b.md': 'a dog ran', 'c.md': 'some cat ran' });
  const empty = await search(store, 'x', { embedder }).catch((error: { code: string }) => error.code);
  assert.is(empty, 'STORE_MISMATCH');
  await index();
  const [best, ...others] = await search(store, 'a cat sat', { embedder });
  assert.equal([best!.docId, others.length], [path('a.md'), 2]);
  assert.ok(Math.abs(best!.score - 1) < 1e-6 && others.every(({ score }) => score < best!.score));
  const words = await search(store, 'ran', { mode: 'keyword' });
  assert.equal(words.map(({ docId }) => docId).sort(), [path('b.md'), path('c.md')]);
  const both = await search(store, 'dog', { embedder, mode: 'hybrid', topK: 2 });
  assert.is(both.length, 2);
  assert.ok(both.some(({ docId }) => docId === path('b.md')));
  assert.equal((await search(store, 'cat', { embedder, filter: { path: path('b.md') } })).map(({ docId }) => docId), [path('b.md')]); // prettier-ignore
  assert.is((await search(store, 'cat', { embedder, threshold: 2 })).length, 0);
  const reranker = await loadModel(golden('tiny/bert-cross-encoder'));
  try {
    const ranked = await search(store, 'cat', { embedder, reranker });
    assert.is(ranked.length, 3);
    assert.ok(ranked.every(({ score }, i) => i === 0 || score <= ranked[i - 1]!.score));
  } finally {
    reranker.dispose();
  }
  for (const wrong of [{ topK: 0 }, { mode: 'other' as never }, { rerankTop: 1.5 }, {}]) {
    assert.is(await search(store, 'a', wrong).catch((error: { code: string }) => error.code), 'INVALID_OPTION', JSON.stringify(wrong));
  }
});

t.run();
