// The store in Chroma on a real server: the suite of all stores, then what is its own.
import * as assert from 'uvu/assert';
import { missingPeers } from './support/peers.js';
import { skip } from '../support/skip.js';
import { missing, startChroma } from './support/services.js';
import { testStore } from './support/store-cases.js';
import { chunk, documentWrite, rowsOf, storeSuite, testModel } from './support/stores.js';

const lacking = missing.chroma ?? missingPeers.chroma;
const service = lacking === undefined ? await startChroma() : undefined;
if (service !== undefined) {
  const place = (_folder: string, test: number): { url: string; table: string } => ({ url: service.url, table: `table_${test}` });
  testStore({ name: 'chroma', place, hasWords: false, comparesStrings: false });
}

const { t, open } = storeSuite('store chroma: server');
t.after(async () => void (await service?.remove()));
const check = (name: string, act: (url: string) => Promise<void>): void =>
  void t(name, () => (service === undefined ? skip(lacking!) : act(service.url)));
const batch = { run: 1, position: 0, documents: [documentWrite('a', ['one'])], unchanged: [] };
const failure = async (promise: Promise<unknown>): Promise<Error & { code?: string }> =>
  promise.then(
    () => assert.unreachable('expected an error') as never,
    (error: unknown) => error as Error & { code?: string },
  );

check('a document of more chunks than go in one request is whole, and shrinks', async (url) => {
  const store = await open(url, { table: 'large' });
  await store.prepare(testModel);
  const texts = Array.from({ length: 2300 }, (_, i) => `text ${i}`);
  assert.is((await store.write({ ...batch, documents: [documentWrite('a', texts), documentWrite('b', ['x'])] })).rowsWritten, 2301);
  assert.is((await rowsOf(store)).length, 2301);
  const shrunk = await store.write({ ...batch, run: 2, documents: [documentWrite('a', texts.slice(0, 3))] });
  assert.equal(shrunk, { rowsWritten: 0, rowsDeleted: 2297, stale: [] });
  assert.equal(await store.size(), { documents: 2, rows: 4 });
});

check('keeps texts and metadata that it cannot hold, with U+FFFD for what is no text', async (url) => {
  const store = await open(url, { table: 'odd' });
  await store.prepare(testModel);
  const odd = { ...chunk('nul \0 half \ud800 end', { 'k\ud800': '\udc00', $x: [1, { y: null }] }), contentHash: 'h' };
  await store.write({ ...batch, documents: [{ docId: 'a', contentHash: 'h', chunks: [odd] }] });
  const [row] = (await rowsOf(store)).map((line) => JSON.parse(line) as { text: string; metadata: object });
  assert.is(row!.text, 'nul \ufffd half \ufffd end');
  assert.equal(row!.metadata, { 'k\ud800': '\udc00', $x: [1, { y: null }] });
});

check('refuses a collection that another program made, and names that Chroma does not take', async (url) => {
  const { ChromaClient } = (await import('chromadb' as string)) as { ChromaClient: new (at: object) => { createCollection(of: object): Promise<unknown> } }; // prettier-ignore
  await new ChromaClient({ host: '127.0.0.1', port: service!.port }).createCollection({ name: 'foreign', embeddingFunction: null });
  const error = await failure(open(url, { table: 'foreign' }));
  assert.equal([error.code, /foreign without foreign_bertha/.test(error.message)], ['STORE_MISMATCH', true], error.message);
  for (const table of ['t0', '_table', 'table_']) assert.is((await failure(open(url, { table }))).code, 'INVALID_OPTION');
});

check('goes on when its server was killed and started again', async (url) => {
  const store = await open(url, { table: 'killed' });
  await store.prepare(testModel);
  await store.write(batch);
  await service!.kill();
  const written = store.write({ ...batch, documents: [documentWrite('b', ['two'])] });
  await service!.start();
  await written;
  assert.equal(await store.size(), { documents: 2, rows: 2 });
});

check('says what is wrong with an address, without its token', async (url) => {
  assert.not.match((await open(url.replace('//', '//secret@'), { table: 'other' })).url, /secret/);
  for (const [address, code, pattern] of [
    ['chroma://secret@127.0.0.1:1', 'STORE', /chroma:\/\/127\.0\.0\.1:1 could not be reached within 0 s/],
    ['chroma://secret@h/a/b/c', 'INVALID_ARG', /cannot be read/],
    [`${url.replace('//', '//secret@')}/none`, 'STORE', /chroma:\/\/127/],
  ] as const) {
    const error = await failure(open(address, { patienceMs: 100 }).then((store) => store.prepare(testModel)));
    assert.is(error.code, code, error.message);
    assert.match(error.message, pattern);
    assert.not.match(error.message, /secret/);
  }
});

t.run();
