// A query of PostgreSQL as a source, on a real server; and a run that has source, queue and store there.
import { join } from 'node:path';
import pg from 'pg';
import * as assert from 'uvu/assert';
import { runIndex } from '../../packages/jobs/src/command/index-command.js';
import { openSource, sourceOf, type SourceOptions } from '../../packages/jobs/src/source/open-source.js';
import type { Source, SourceItem, Unit } from '../../packages/jobs/src/source/source.js';
import { golden } from '../support/golden-path.js';
import { skip } from '../support/skip.js';
import { missing, startPostgres } from './support/services.js';
import { rowsOf, storeSuite } from './support/stores.js';

const { t, folder, open } = storeSuite('source postgres');
const service = missing.postgres === undefined ? await startPostgres() : undefined;
t.after(async () => void (await service?.remove()));
const check = (name: string, act: (url: string) => Promise<void>): void =>
  void t(name, () => (service === undefined ? skip(missing.postgres!) : act(service.url)));
const failure = async (promise: Promise<unknown>): Promise<Error & { code?: string }> =>
  promise.then(
    () => assert.unreachable('expected an error') as never,
    (error: unknown) => error as Error & { code?: string },
  );

async function run(url: string, ...statements: readonly string[]): Promise<void> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  try {
    for (const statement of statements) await client.query(statement);
  } finally {
    await client.end();
  }
}

/** Everything of a query, read as another process reads it: from JSON. */
async function all(url: string, options: SourceOptions): Promise<{ units: Unit[]; items: SourceItem[]; source: Source }> {
  const source = await openSource([url], options);
  const other = await sourceOf(JSON.parse(JSON.stringify(source.definition)) as Source['definition'], url);
  const [units, items]: [Unit[], SourceItem[]] = [[], []];
  for await (const unit of source.units()) {
    units.push(unit);
    for await (const item of other.read(JSON.parse(JSON.stringify(unit)) as Unit)) items.push(item);
  }
  await other.close();
  await source.close();
  return { units, items, source };
}

const idsOf = (items: readonly SourceItem[]): string[] =>
  items.map((item) => ('bad' in item ? `bad ${item.bad.place}: ${item.bad.problem}` : item.document.id));

check('reads every row once, in pages by its key, with its other columns as metadata', async (url) => {
  await run(
    url,
    'create table articles (id integer primary key, body text, big bigint, day date, made timestamp, tags text[], more jsonb)',
    `insert into articles select i, 'Article ' || i, 9007199254740993 * (i % 2), '2024-02-03', '2024-02-03 04:05:06', '{a,b}', '{"x": [1]}' from generate_series(1, 1203) i`,
  );
  const { units, items, source } = await all(url, { sql: 'select * from articles -- all;', textField: 'body' });
  assert.equal([source.total, units.map(({ size }) => size)], [1203, [500, 500, 203]]);
  assert.equal(idsOf(items), Array.from({ length: 1203 }, (_, i) => `${i + 1}`)); // prettier-ignore
  assert.equal(items[0], {
    document: {
      id: '1',
      text: 'Article 1',
      metadata: { id: 1, big: '9007199254740993', day: '2024-02-03', made: '2024-02-03 04:05:06', tags: ['a', 'b'], more: { x: [1] } },
    },
  });
  assert.equal((await all(url, { sql: 'select * from articles -- all;', textField: 'body' })).units, units);
});

check('keeps rows of equal keys in one unit, and tells those without a key or a text', async (url) => {
  await run(
    url,
    'create table notes ("the key" text, text text)',
    `insert into notes select case when i between 495 and 510 then 'k0495' else 'k' || lpad(i::text, 4, '0') end, 'Note ' || i from generate_series(1, 1000) i`,
    `insert into notes values (null, 'no key'), ('zz', null)`,
  );
  const { units, items } = await all(url, { sql: 'select * from notes', idField: 'the key' });
  assert.is(units.length, 2);
  const ids = idsOf(items);
  assert.is(ids.length, 1002);
  assert.is(ids.filter((id) => id === 'k0495').length, 16);
  assert.equal(ids.slice(-2), [
    'bad row "zz": expected a string in field "text" but received null',
    'bad a row without an id: expected a string or a number in field "the key" but received none',
  ]);
  assert.equal(idsOf((await all(url, { sql: 'select 1 as id, null as text where false' })).items), []); // prettier-ignore
});

check('refuses queries that are none or write, and addresses without one', async (url) => {
  const secret = url.replace('bertha@', 'bertha:secret@');
  await run(
    url,
    'create table kept (n integer)',
    'create function spoil() returns integer language sql as $$ insert into kept values (1) returning n $$',
  );
  for (const [options, code, pattern] of [
    [{ sql: 'select nothing from nowhere' }, 'DATASET', /"nowhere" does not exist/],
    [{ sql: 'select 1 as id; drop table kept' }, 'DATASET', /syntax error/],
    [{ sql: `select spoil() as id, 'x' as text` }, 'DATASET', /read-only transaction/],
    [{ sql: `select 'x' as text` }, 'DATASET', /id does not exist/],
    [{}, 'INVALID_OPTION', /option sql but received \["postgres:\/\/127.*no query/],
  ] as const) {
    const error = await failure(openSource([secret], options));
    assert.equal([error.code, pattern.test(error.message)], [code, true], error.message);
    assert.not.match(error.message, /secret/);
  }
  assert.is((await failure(openSource(['a.md'], { sql: 'select 1' }))).code, 'INVALID_OPTION');
});

check('a run with source, queue and store in PostgreSQL leaves the rows of one process, and prunes what is gone', async (url) => {
  await run(
    url,
    'create table pages (id integer primary key, text text)',
    `insert into pages select i, 'Page ' || i || ' says that cats sleep.' from generate_series(1, 700) i`,
  );
  const sql = 'select * from pages';
  const common = ['--model', golden('sentence/normalize'), '--chunk-tokens', '16', '--errors', join(folder, 'errors.jsonl'), '--quiet'];
  const alone = (...more: readonly string[]): Promise<number> =>
    runIndex([url, '--sql', sql, '--store', join(folder, 'alone.db'), ...common, ...more]);
  const spread = (...more: readonly string[]): Promise<number> =>
    runIndex([url, '--sql', sql, '--store', url, '--table', 'spread', '--queue', url, ...common, ...more]);
  const rowsHere = async (): Promise<string[]> => rowsOf(await open(url, { table: 'spread' }));
  const rowsAlone = async (): Promise<string[]> => rowsOf(await open(join(folder, 'alone.db')));
  const worker = runIndex(['work', '--queue', url, '--store', url, '--source', url, '--quiet', '--device', 'cpu,cpu']);
  assert.is(await alone(), 0);
  assert.is(await spread(), 0);
  const rows = await rowsHere();
  assert.is(rows.length, 700);
  assert.equal(rows, await rowsAlone());
  await run(url, 'delete from pages where id % 3 = 0', `update pages set text = 'changed' where id = 7`);
  assert.is(await spread(), 0);
  assert.is((await rowsHere()).length, 700);
  assert.is(await spread('--prune'), 0);
  assert.is(await alone('--prune'), 0);
  const left = await rowsHere();
  assert.is(left.length, 467);
  assert.equal(left, await rowsAlone());
  process.kill(process.pid, 'SIGTERM');
  assert.is(await worker, 0);
});

t.run();
