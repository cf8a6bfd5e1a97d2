// The store in PostgreSQL on a real server with pgvector: the suite of all stores, then what is its own.
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import * as assert from 'uvu/assert';
import { semanticSearch } from '../../src/index.js';
import type { OpenStoreOptions } from '../../packages/jobs/src/store/open-store.js';
import type { Row, Store } from '../../packages/jobs/src/store/store.js';
import { skip } from '../support/skip.js';
import { missing, startPostgres } from './support/services.js';
import { testStore } from './support/store-cases.js';
import { chunk, documentWrite, drawnVector, rowsOf, storeSuite, testModel } from './support/stores.js';

const service = missing.postgres === undefined ? await startPostgres() : undefined;
if (service !== undefined) testStore({ name: 'postgres', place: (_folder, test) => ({ url: service.url, table: `t${test}` }) });

const { t, open } = storeSuite('store postgres: server');
t.after(async () => void (await service?.remove()));
const check = (name: string, act: (url: string) => Promise<void>): void =>
  void t(name, () => (service === undefined ? skip(missing.postgres!) : act(service.url)));
const batch = { run: 1, position: 0, documents: [documentWrite('a', ['one'])], unchanged: [] };
const failure = async (promise: Promise<unknown>): Promise<Error & { code?: string }> =>
  promise.then(
    () => assert.unreachable('expected an error') as never,
    (error: unknown) => error as Error & { code?: string },
  );

/** Runs statements of another program. */
async function other<T>(url: string, work: (client: pg.Client) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

const dimensions = 64;
/** Vectors in groups, as those of texts are: 2,000 of them around 200 middles. */
const grouped = Array.from({ length: 2000 }, (_, i) => {
  const [middle, own] = [drawnVector(i % 200, dimensions), drawnVector(5000 + i, dimensions)];
  return middle.map((value, k) => value + 0.6 * own[k]!);
});

/** A store with these vectors and HNSW over them. */
async function filled(url: string, options: OpenStoreOptions): Promise<{ store: Store; rows: Row[] }> {
  const store = await open(url, { indexFromRows: 1000, ...options });
  await store.prepare({ ...testModel, dimensions });
  const run = await store.beginRun('p');
  const documents = grouped.map((embedding, i) => ({
    docId: `d${i}`,
    contentHash: `${i}`,
    chunks: [{ ...chunk(`text ${i}`, { n: i }), embedding }],
  }));
  await store.write({ run, position: 0, documents, unchanged: [] });
  await store.finishRun(run);
  const rows: Row[] = [];
  for await (const row of store.rows()) rows.push(row);
  return { store, rows };
}

for (const kind of ['vector', 'halfvec', 'binary'] as const) {
  check(`builds HNSW over ${kind} after the load, and finds what an exact search finds`, async (url) => {
    const { store, rows } = await filled(url, { table: `over_${kind}`, vectorIndex: kind });
    const vectors = rows.map(({ embedding }) => embedding);
    let hits = 0;
    for (let query = 0; query < 20; query++) {
      const vector = drawnVector(query * 7, dimensions);
      const exact = await semanticSearch(vector, vectors, { topK: 10 });
      const found = new Set((await store.nearest(vector, { topK: 10 })).map(({ id }) => id));
      hits += exact.filter(({ index }) => found.has(rows[index]!.id)).length;
    }
    assert.ok(hits >= 196, `${hits} of 200`);
    const definition = await other(url, async (client) => {
      const { rows: indexes } = await client.query(`select indexdef from pg_indexes where indexname = 'over_${kind}_hnsw'`);
      return (indexes as { indexdef: string }[])[0]?.indexdef ?? '';
    });
    assert.match(definition, { vector: /vector_cosine_ops/, halfvec: /halfvec_cosine_ops/, binary: /bit_hamming_ops/ }[kind]);
    // A filter that leaves fewer than HNSW comes upon: all that fit are found, as without it.
    const filtered = await store.nearest(drawnVector(3, dimensions), { topK: 5, filter: { n: [3, 1500, 1999] } });
    assert.equal(filtered.map(({ docId }) => docId).sort(), ['d1500', 'd1999', 'd3']);
    assert.is((await store.nearest(drawnVector(3, dimensions), { topK: 1500 })).length, 1500);
  });
}

check('refuses another kind of index than the table has, and vectors that a kind cannot index', async (url) => {
  const store = await open(url, { table: 'kinds', vectorIndex: 'halfvec' });
  await store.prepare(testModel);
  const error = await failure((await open(url, { table: 'kinds', vectorIndex: 'binary' })).prepare(testModel));
  assert.equal([error.code, /over binary.*over halfvec/.test(error.message)], ['STORE_MISMATCH', true], error.message);
  await (await open(url, { table: 'kinds' })).prepare(testModel);
  const wide = await failure((await open(url, { table: 'wide', vectorIndex: 'vector' })).prepare({ ...testModel, dimensions: 3000 }));
  assert.equal([wide.code, /Expected halfvec/.test(wide.message)], ['INVALID_OPTION', true]);
  assert.is((await failure(open(url, { vectorIndex: 'x' as never }))).code, 'INVALID_OPTION');
  assert.is((await failure(open(url, { table: 'vector' }))).code, 'INVALID_OPTION');
  assert.is((await failure(open('x.db', { vectorIndex: 'vector' }))).code, 'INVALID_OPTION');
  assert.is((await failure(open(url, { indexFromRows: -1 }))).code, 'INVALID_OPTION');
});

check('refuses a table of another shape', async (url) => {
  await other(url, (client) => client.query('create table foreign_rows (id integer primary key, body text)'));
  const error = await failure(open(url, { table: 'foreign_rows' }));
  assert.is(error.code, 'STORE_MISMATCH');
  assert.match(error.message, /foreign_rows without doc_id/);
});

check('refuses an old pgvector and a database that does not hold UTF-8', async (url) => {
  const at = (name: string): string => url.replace(/postgres$/, name);
  await other(url, async (client) => {
    await client.query('create database old');
    await client.query(`create database ascii encoding 'SQL_ASCII' template template0`);
  });
  await other(at('old'), async (client) => {
    await client.query('create extension vector');
    await client.query(`update pg_extension set extversion = '0.7.4' where extname = 'vector'`);
  });
  const old = await failure((await open(at('old'))).prepare(testModel));
  assert.equal(
    [old.code, /Expected pgvector 0\.8 or newer .*0\.7\.4.*alter extension vector update/.test(old.message)],
    ['STORE', true],
    old.message,
  );
  const ascii = await failure((await open(at('ascii'))).prepare(testModel));
  assert.equal([ascii.code, /to hold UTF-8 .*SQL_ASCII/.test(ascii.message)], ['STORE_MISMATCH', true], ascii.message);
});

check('a disk that is full is told, and what was written before stays', async (url) => {
  const store = await open(url, { table: 'full_disk' });
  await store.prepare(testModel);
  await store.write(batch);
  await other(url, (client) =>
    client.query(`create function no_space() returns trigger language plpgsql as $$ begin
      raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
      create trigger no_space before insert on full_disk for each row execute function no_space()`),
  );
  const error = await failure(store.write({ ...batch, documents: [documentWrite('b', ['two'])] }));
  assert.equal([error.code, /disk is full/.test(error.message)], ['IO', true], error.message);
  assert.equal(await store.size(), { documents: 1, rows: 1 });
});

check('keeps texts and metadata that PostgreSQL cannot hold, with U+FFFD for what is no text', async (url) => {
  const store = await open(url, { table: 'odd' });
  await store.prepare(testModel);
  const odd = chunk('nul \0 half \ud800 end', { 'k\0': ['\0', { x: '\udc00' }], '"': "'\\" });
  await store.write({ ...batch, documents: [{ docId: 'a', contentHash: 'h', chunks: [{ ...odd, contentHash: 'h' }] }] });
  const [row] = (await rowsOf(store)).map((line) => JSON.parse(line) as Row);
  assert.is(row!.text, 'nul \ufffd half \ufffd end');
  assert.equal(row!.metadata, { '"': "'\\", 'k\ufffd': ['\ufffd', { x: '\ufffd' }] });
});

check('waits for a lock as long as it is told, and a signal ends the wait', async (url) => {
  const store = await open(url, { table: 'held', lockTimeoutMs: 300 });
  const patient = await open(url, { table: 'held', lockTimeoutMs: 60_000 });
  await store.prepare(testModel);
  await store.write(batch);
  await other(url, async (client) => {
    await client.query(`begin; select * from held_documents for update`);
    const error = await failure(store.write({ ...batch, run: 2 }));
    assert.equal([error.code, /held by another program/.test(error.message)], ['LOCKED', true], error.message);
    const stop = new AbortController();
    setTimeout(() => stop.abort(new Error('enough')), 100);
    assert.match((await failure(patient.write({ ...batch, run: 2 }, stop.signal))).message, 'enough');
    await client.query('rollback');
  });
  assert.is((await store.write({ ...batch, run: 2, documents: [documentWrite('a', ['two'])] })).rowsWritten, 1);
});

check('goes on when its server was killed and started again', async (url) => {
  const store = await open(url, { table: 'killed' });
  await store.prepare(testModel);
  await store.write(batch);
  await service!.kill();
  // Its other processes notice that it is gone, and go too.
  await sleep(500);
  const written = store.write({ ...batch, documents: [documentWrite('b', ['two'])] });
  await service!.start();
  await written;
  assert.equal(await store.size(), { documents: 2, rows: 2 });
});

check('says what is wrong with an address, without its credentials', async (url) => {
  const secret = url.replace('bertha@', 'bertha:secret@');
  assert.not.match((await open(secret, { table: 'x' })).url, /secret|bertha/);
  for (const [address, code, pattern] of [
    [secret.replace(/postgres$/, 'none'), 'STORE', /"none" does not exist.*createdb/],
    [`postgres://me:secret@127.0.0.1:1/db`, 'STORE', /postgres:\/\/127\.0\.0\.1:1\/db could not be reached within 0 s: .*ECONNREFUSED/],
    ['postgres://me:secret@[', 'INVALID_ARG', /cannot be read/],
  ] as const) {
    const error = await failure(open(address, { patienceMs: 100 }));
    assert.is(error.code, code, error.message);
    assert.match(error.message, pattern);
    assert.not.match(error.message, /secret/);
  }
});

t.run();
