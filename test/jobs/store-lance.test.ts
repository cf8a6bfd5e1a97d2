// The store in LanceDB: the suite of all stores, then what is its own.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { missingPeers } from './support/peers.js';
import { spreadDocuments } from '../../packages/jobs/src/queue/spread.js';
import { skip } from '../support/skip.js';
import { testStore } from './support/store-cases.js';
import { documentWrite, storeSuite, testModel } from './support/stores.js';

if (missingPeers.lance === undefined) {
  testStore({ name: 'lance', place: (folder, test) => ({ url: join(folder, `${test}.lancedb`) }), isShared: false });
}

const { t, folder, open } = storeSuite('store lance: folders');
const check = (name: string, act: () => Promise<void>): void =>
  void t(name, () => (missingPeers.lance === undefined ? act() : skip(missingPeers.lance)));
const failure = async (promise: Promise<unknown>): Promise<Error & { code?: string }> =>
  promise.then(
    () => assert.unreachable('expected an error') as never,
    (error: unknown) => error as Error & { code?: string },
  );

check('refuses a table of another shape, and one that another program made', async () => {
  const path = join(folder, 'foreign.lancedb');
  const lance = (await import('@lancedb/lancedb' as string)) as {
    connect(path: string): Promise<{ createTable(name: string, rows: object[]): Promise<unknown> }>;
  };
  await (await lance.connect(path)).createTable('passages', [{ id: 1, body: 'text' }]);
  assert.match((await failure(open(path))).message, /passages which another program made/);
  await (await open(path, { table: 'notes' })).prepare(testModel);
});

check('two tables in one folder are two stores', async () => {
  const path = join(folder, 'two.lancedb');
  const [one, two] = [await open(path, { table: 'one' }), await open(path, { table: 'two' })];
  await one.prepare(testModel);
  await two.prepare({ ...testModel, key: 'b'.repeat(64) });
  await one.write({ run: 1, position: 0, documents: [documentWrite("it's", ['one'])], unchanged: [] });
  assert.equal([await one.size(), await two.size()], [{ documents: 1, rows: 1 }, { documents: 0, rows: 0 }]); // prettier-ignore
});

check('a queue is refused, because it has one writer', async () => {
  const store = await open(join(folder, 'queue.lancedb'));
  const none = {} as never;
  const error = await failure(spreadDocuments(none, store, none, none));
  assert.equal([error.code, /several processes may write/.test(error.message)], ['INVALID_OPTION', true], error.message);
});

check('a folder that cannot be made is told', async () => {
  writeFileSync(join(folder, 'file'), 'x');
  const store = await open(join(folder, 'file', 'x.lancedb'));
  assert.is((await failure(store.prepare(testModel))).code, 'IO');
});

t.run();
