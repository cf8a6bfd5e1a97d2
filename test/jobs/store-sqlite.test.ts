import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openDatabase } from '../../packages/jobs/src/store/sqlite/driver.js';
import { testStore } from './support/store-cases.js';
import { documentWrite, storeSuite, testModel } from './support/stores.js';

testStore({ name: 'sqlite', place: (folder, test) => ({ url: join(folder, `${test}.db`) }) });

const { t, folder, open } = storeSuite('store sqlite: files');
const batch = { run: 1, position: 0, documents: [documentWrite('a', ['one'])], unchanged: [] };
const failure = async (promise: Promise<unknown>): Promise<Error & { code?: string }> =>
  promise.then(
    () => assert.unreachable('expected an error') as never,
    (error: unknown) => error as Error & { code?: string },
  );

t('waits for a lock that another program gives back, and names the file where it does not', async () => {
  const path = join(folder, 'locked.db');
  const store = await open(path, { lockTimeoutMs: 300 });
  await store.prepare(testModel);
  const other = await openDatabase(path);
  other.exec('begin immediate');
  const error = await failure(store.write(batch));
  assert.is(error.code, 'LOCKED');
  assert.match(error.message, /locked\.db is held by another program/);
  setTimeout(() => other.exec('commit'), 100);
  assert.is((await store.write(batch)).rowsWritten, 1);
  other.close();
});

t('refuses a file that is no database, and a table of another shape', async () => {
  const path = join(folder, 'text.db');
  writeFileSync(path, 'this is a text and no database at all, '.repeat(40));
  assert.is((await failure(open(path))).code, 'STORE_MISMATCH');
  const other = join(folder, 'other.db');
  const database = await openDatabase(other);
  database.exec('create table passages (id integer primary key, body text)');
  database.close();
  const error = await failure(open(other));
  assert.is(error.code, 'STORE_MISMATCH');
  assert.match(error.message, /passages without row, doc_id/);
  await (await open(other, { table: 'notes' })).prepare(testModel);
});

t('two tables in one file are two stores', async () => {
  const path = join(folder, 'two.db');
  const [one, two] = [await open(path, { table: 'one' }), await open(path, { table: 'two' })];
  await one.prepare(testModel);
  await two.prepare({ ...testModel, key: 'b'.repeat(64) });
  await one.write(batch);
  assert.equal([await one.size(), await two.size()], [{ documents: 1, rows: 1 }, { documents: 0, rows: 0 }]); // prettier-ignore
});

t('a disk that is full is told, and what was written before stays', async () => {
  const path = join(folder, 'full.db');
  const store = await open(path);
  await store.prepare(testModel);
  await store.write(batch);
  const database = (store as unknown as { connection: { exec(sql: string): void } }).connection;
  database.exec('pragma max_page_count = 60');
  const texts = Array.from({ length: 4000 }, (_, i) => `text number ${i} with some words in it`);
  const error = await failure(store.write({ ...batch, documents: [documentWrite('b', texts)] }));
  assert.is(error.code, 'IO');
  assert.match(error.message, /disk is full/);
  assert.equal(await store.size(), { documents: 1, rows: 1 });
  database.exec('pragma max_page_count = 100000');
  await store.write({ ...batch, documents: [documentWrite('b', texts)] });
  assert.equal(await store.size(), { documents: 2, rows: 4001 });
});

t('refuses addresses and tables that are none, without their credentials', async () => {
  for (const url of ['', 'notes.txt', 'ftp://me:secret@host/x']) {
    const error = await failure(open(url));
    assert.is(error.code, 'INVALID_ARG');
    assert.not.match(error.message, 'secret');
  }
  for (const table of ['a b', 'x"; drop table y', 'A', '1a', ''])
    assert.is((await failure(open('x.db', { table }))).code, 'INVALID_OPTION', table);
  assert.is((await failure(open('x.db', { lockTimeoutMs: -1 }))).code, 'INVALID_OPTION');
  assert.is((await failure(open(join(folder, 'none', 'x.db')))).code, 'IO');
});

t.run();
