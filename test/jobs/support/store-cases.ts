// What every store must do, as tests of one suite.
import * as assert from 'uvu/assert';
import { semanticSearch } from '../../../src/index.js';
import { nextRun } from '../../../packages/jobs/src/store/runs.js';
import type { Batch, Filter, Row, Store } from '../../../packages/jobs/src/store/store.js';
import { chunk, documentWrite, drawnVector, plain, rowsOf, storeSuite, testModel } from './stores.js';

/** A kind of store: where each test finds an empty one. */
export interface StoreKind {
  readonly name: string;
  /** A new place. */
  readonly place: (folder: string, test: number) => Place;
  /** Whether several processes may write at once. Default true. */
  readonly isShared?: boolean;
  /** Whether it finds words. Default true. */
  readonly hasWords?: boolean;
  /** Whether it compares strings, as bounds of a filter. Default true. */
  readonly comparesStrings?: boolean;
  /** Called after the last test. */
  readonly end?: () => Promise<void>;
}

/** Where a store is. */
export interface Place {
  readonly url: string;
  readonly table?: string;
}

const batch = (part: Partial<Batch>): Batch => ({ run: 1, position: 0, documents: [], unchanged: [], ...part });
const idsOf = (rows: readonly string[]): string[] => rows.map((row) => (JSON.parse(row) as Row).id);

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'no error',
    (error: { code?: string }) => error.code ?? String(error),
  );
}

/** Runs the suite for a kind of store. */
export function testStore({ name, place, isShared = true, hasWords = true, comparesStrings = true, end }: StoreKind): void {
  const { t, folder, open: openAt } = storeSuite(`store ${name}`);
  const open = ({ url, table }: Place): Promise<Store> => openAt(url, { table });
  if (end !== undefined) t.after(end);
  let numbers = 0;
  const fresh = (): Place => place(folder, numbers++);
  const prepared = async (address = fresh()): Promise<Store> => {
    const store = await open(address);
    await store.prepare(testModel);
    return store;
  };

  t('begins empty, and keeps its model', async () => {
    const address = fresh();
    const store = await open(address);
    assert.is(store.model, undefined);
    await store.prepare(testModel);
    await store.prepare(testModel);
    assert.equal(await store.size(), { documents: 0, rows: 0 });
    await store.close();
    assert.equal((await open(address)).model, testModel);
  });

  t("refuses another model's vectors, and names both", async () => {
    const store = await prepared();
    for (const other of [{ key: 'b'.repeat(64), name: 'other' }, { dimensions: 32 }, { isNormalized: false }]) {
      const error = await store.prepare({ ...testModel, ...other }).catch((e: unknown) => e as Error & { code: string });
      assert.ok(error !== undefined);
      assert.is(error.code, 'STORE_MISMATCH');
      assert.match(error.message, /vectors of tiny .*16 numbers/);
    }
  });

  t('gives back what was written, in the order of ids and chunks', async () => {
    const store = await prepared();
    const metadata = { lang: 'en', nested: { list: [1, null, 'ü'] } };
    const documents = [documentWrite('b', ['third', 'fourth 🙂'], metadata), documentWrite('a/x.md', ['first'])];
    const result = await store.write(batch({ documents }));
    assert.equal(result, { rowsWritten: 3, rowsDeleted: 0, stale: [] });
    const rows: Row[] = [];
    for await (const row of store.rows()) rows.push(row);
    assert.equal(
      rows.map(({ id, docId, chunkNo, text, run }) => [id, docId, chunkNo, text, run]),
      [
        ['a/x.md#0', 'a/x.md', 0, 'first', 1],
        ['b#0', 'b', 0, 'third', 1],
        ['b#1', 'b', 1, 'fourth 🙂', 1],
      ],
    );
    assert.equal(rows[1]!.metadata, metadata);
    assert.equal(rows[1]!.embedding, chunk('third').embedding);
    assert.equal(await store.size(), { documents: 2, rows: 3 });
  });

  t('writes the same batch twice with the same rows', async () => {
    const store = await prepared();
    const documents = [documentWrite('a', ['one', 'two'])];
    await store.write(batch({ documents }));
    const before = await rowsOf(store);
    assert.equal(await store.write(batch({ documents })), { rowsWritten: 0, rowsDeleted: 0, stale: [] });
    assert.equal(await rowsOf(store), before);
  });

  t('writes only the chunks whose hash changed, and removes those beyond a shorter document', async () => {
    const store = await prepared();
    await store.write(batch({ documents: [documentWrite('a', ['one', 'two', 'three', 'four'])] }));
    const changed = documentWrite('a', ['one', 'zwei']);
    const kept = { ...changed, chunks: [{ ...changed.chunks[0]!, embedding: undefined }, changed.chunks[1]!] };
    assert.equal(await store.write(batch({ run: 2, documents: [kept] })), { rowsWritten: 1, rowsDeleted: 2, stale: [] });
    const other = await prepared();
    await other.write(batch({ documents: [changed] }));
    assert.equal(await rowsOf(store), await rowsOf(other));
    assert.equal(await store.rowHashes(['a', 'none']), new Map([['a', ['hash of one', 'hash of zwei']], ['none', []]])); // prettier-ignore
  });

  t('an emptied document has no rows, and is remembered', async () => {
    const store = await prepared();
    await store.write(batch({ documents: [documentWrite('a', ['one'])] }));
    await store.write(batch({ run: 2, documents: [documentWrite('a', [])] }));
    assert.equal(await store.size(), { documents: 1, rows: 0 });
    assert.is((await store.documents(['a'])).get('a')!.contentHash, 'hash of ');
  });

  t('says which documents another writer changed, and leaves them and the unit alone', async () => {
    const store = await prepared();
    await store.write(batch({ documents: [documentWrite('a', ['one', 'two'])] }));
    const kept = documentWrite('a', ['other', 'three']);
    const chunks = [{ ...kept.chunks[0]!, embedding: undefined }, kept.chunks[1]!];
    const result = await store.write(batch({ documents: [{ ...kept, chunks }], doneUnit: 'u' }));
    assert.equal(result, { rowsWritten: 0, rowsDeleted: 0, stale: ['a'] });
    assert.equal(await store.rowHashes(['a']), new Map([['a', ['hash of one', 'hash of two']]]));
    assert.is((await store.doneUnits(1, ['u'])).size, 0);
  });

  t('a late writer of an older run, or a later unit of the same, changes nothing', async () => {
    const store = await prepared();
    await store.write(batch({ run: 3, position: 4, documents: [documentWrite('a', ['new'])] }));
    const before = await rowsOf(store);
    for (const late of [{ run: 2, position: 0 }, { run: 3, position: 5 }]) await store.write(batch({ ...late, documents: [documentWrite('a', ['old', 'old 2'])] })); // prettier-ignore
    await store.write(batch({ run: 2, unchanged: ['a'] }));
    assert.equal(await rowsOf(store), before);
    assert.equal((await store.documents(['a'])).get('a'), { contentHash: 'hash of new', run: 3, position: 4 });
    await store.write(batch({ run: 3, position: 1, documents: [documentWrite('a', ['first place'])] }));
    assert.equal(await store.rowHashes(['a']), new Map([['a', ['hash of first place']]]));
  });

  t('keeps the units of a run until it is finished', async () => {
    const store = await prepared();
    const run = await store.beginRun('p');
    await store.write(batch({ run, doneUnit: 'u1' }));
    await store.write(batch({ run, doneUnit: 'u1' }));
    await store.write(batch({ run, doneUnit: 'u2' }));
    assert.equal([...(await store.doneUnits(run, ['u0', 'u1', 'u2']))].sort(), ['u1', 'u2']);
    assert.is((await store.doneUnits(run + 1, ['u1'])).size, 0);
    await store.finishRun(run);
    assert.is((await store.doneUnits(run, ['u1'])).size, 0);
  });

  t('goes on with a run of the same parameters until it is finished; others are later', async () => {
    const store = await prepared();
    assert.is(await store.beginRun('p'), 1);
    assert.is(await store.beginRun('p'), 1);
    assert.is(await store.beginRun('q'), 2);
    await store.finishRun(2);
    assert.is(await store.beginRun('q'), 3);
    assert.equal(nextRun(undefined, undefined, 'p'), { isNew: true, run: 1 });
  });

  t('prunes what a run has not seen', async () => {
    const store = await prepared();
    await store.write(batch({ documents: ['a', 'b', 'c'].map((id) => documentWrite(id, [`text of ${id}`, 'two'])) }));
    await store.write(batch({ run: 2, documents: [documentWrite('b', ['new'])], unchanged: ['c'] }));
    assert.equal(await store.finishRun(2), { documentsPruned: 0 });
    assert.equal(await store.finishRun(2, { prune: true }), { documentsPruned: 1 });
    assert.equal(idsOf(await rowsOf(store)), ['b#0', 'c#0', 'c#1']);
    if (hasWords) assert.equal(await store.matching('a', { topK: 5 }), []);
  });

  t('keeps states by their names', async () => {
    const address = fresh();
    const store = await prepared(address);
    assert.is(await store.readState('cursor'), undefined);
    await store.writeState('cursor', '17');
    await store.writeState('cursor', '18');
    await store.close();
    assert.is(await (await open(address)).readState('cursor'), '18');
  });

  t('finds the candidates of the exact order, equal ones included', async () => {
    const store = await prepared();
    const texts = Array.from({ length: 300 }, (_, i) => `text ${i % 290}`);
    await store.write(batch({ documents: texts.map((text, i) => documentWrite(`d${String(i).padStart(3, '0')}`, [text])) }));
    const rows: Row[] = [];
    for await (const row of store.rows()) rows.push(row);
    for (let query = 0; query < 20; query++) {
      const vector = drawnVector(1000 + query);
      const exact = await semanticSearch(vector, rows.map(({ embedding }) => embedding), { topK: 10 }); // prettier-ignore
      const found = new Set((await store.nearest(vector, { topK: 10 })).map(plain));
      for (const { index } of exact) assert.ok(found.has(plain(rows[index]!)), `query ${query}: ${rows[index]!.id}`);
    }
  });

  t('a vector of zeros and one that points away are found last', async () => {
    const store = await prepared();
    const vector = drawnVector(1);
    const others = [vector, new Float32Array(16), vector.map((value) => -value)];
    const documents = others.map((embedding, i) => ({ docId: `d${i}`, contentHash: `${i}`, chunks: [{ ...chunk('x'), embedding }] }));
    await store.write(batch({ documents }));
    assert.equal((await store.nearest(vector, { topK: 3 })).map(({ docId }) => docId).sort(), ['d0', 'd1', 'd2']);
    assert.is((await store.nearest(vector, { topK: 1 }))[0]!.docId, 'd0');
  });

  t('finds words, the best first, whatever signs stand in the question', async () => {
    const store = await prepared();
    if (!hasWords) return assert.is(await codeOf(store.matching('fox', { topK: 5 })), 'INVALID_OPTION');
    const texts = ['the quick fox', 'a fox and a fox and a fox', 'dogs only', 'Zoë über 東京 "quoted"'];
    await store.write(batch({ documents: texts.map((text, i) => documentWrite(`d${i}`, [text])) }));
    const found = async (words: string): Promise<string[]> => (await store.matching(words, { topK: 5 })).map(({ docId }) => docId);
    assert.equal((await found('fox')).sort(), ['d0', 'd1']);
    assert.is((await found('quick fox!'))[0], 'd0');
    assert.equal(await found('cat'), []);
    for (const odd of ['', '"', "' OR 1=1 --", 'AND', 'a* NEAR(b c)', '(((', '%_\\', '🙂', ':&|!<->'])
      assert.type(await found(odd), 'object');
    assert.equal(await found('"quoted" OR'), ['d3']);
    await store.write(batch({ run: 2, documents: [documentWrite('d2', ['now a fox too'])] }));
    assert.equal((await found('fox')).sort(), ['d0', 'd1', 'd2']);
    assert.equal(await found('dogs'), []);
  });

  t('filters by metadata, before the best are chosen', async () => {
    const store = await prepared();
    const metadata = [
      { lang: 'en', year: 2019, draft: false },
      { lang: 'de', year: 2021, draft: true },
      { lang: 'en', year: 2023, "it's": 'a "b" \\' },
      { lang: null, year: '2021' },
      { year: 1 },
    ];
    await store.write(batch({ documents: metadata.map((each, i) => documentWrite(`d${i}`, ['same words'], each)) }));
    const cases: [Parameters<Store['nearest']>[1]['filter'], string][] = [
      [{ lang: 'en' }, '0 2'],
      [{ lang: ['en', 'de'] }, '0 1 2'],
      [{ lang: null }, '3 4'],
      [{ year: 2021 }, '1'],
      [{ year: '2021' }, '3'],
      [{ year: { gte: 2019, lt: 2023 } }, '0 1'],
      [{ year: { gt: '2020' } }, '3'],
      [{ draft: true }, '1'],
      [{ year: true }, ''],
      [{ draft: false, lang: 'en' }, '0'],
      [{ docId: 'd1' }, '1'],
      [{ docId: ['d0', 'd4', 'none'] }, '0 4'],
      [{ "it's": 'a "b" \\' }, '2'],
      [{ none: 1 }, ''],
    ];
    for (const [filter, expected] of cases) {
      const query = { topK: 5, filter };
      const hasStrings = Object.values(filter!).some((value) => typeof (value as { gt?: unknown } | null)?.gt === 'string');
      if (hasStrings && !comparesStrings) {
        assert.is(await codeOf(store.nearest(drawnVector(3), query)), 'INVALID_OPTION');
        continue;
      }
      const matching = hasWords ? [await store.matching('words', query)] : [];
      for (const rows of [await store.nearest(drawnVector(3), query), ...matching])
        assert.is(rows.map(({ docId }) => docId.slice(1)).sort().join(' '), expected, JSON.stringify(filter)); // prettier-ignore
    }
    for (const wrong of [{ 'a"b': 1 }, { a: [] }, { a: {} }, { a: { like: 'x' } }, { a: { gt: Number.NaN } }, 7]) {
      const query = { topK: 1, filter: wrong as never };
      assert.is(await codeOf(store.nearest(drawnVector(3), query)), 'INVALID_OPTION', JSON.stringify(wrong));
    }
  });

  t('metadata that a document has no longer is not found', async () => {
    const store = await prepared();
    await store.write(batch({ documents: [documentWrite('a', ['one', 'two'], { lang: 'en', year: 7 })] }));
    const { chunks, ...document } = documentWrite('a', ['one', 'zwei'], { lang: 'de' });
    const rewritten = chunks.map((each) => ({ ...each, contentHash: `${each.contentHash} in de` }));
    await store.write(batch({ run: 2, documents: [{ ...document, chunks: rewritten }] }));
    const found = async (filter: Filter): Promise<number> => (await store.nearest(drawnVector(1), { topK: 5, filter })).length;
    assert.equal(
      [await found({ lang: 'en' }), await found({ year: 7 }), await found({ year: null }), await found({ lang: 'de' })],
      [0, 0, 2, 2],
    );
  });

  if (!isShared) {
    t('a second writer is refused as long as the first one has it open; readers are not', async () => {
      const address = fresh();
      const first = await prepared(address);
      await first.write(batch({ documents: [documentWrite('a', ['one'])] }));
      const second = await openAt(address.url, { table: address.table, lockTimeoutMs: 100 });
      assert.is(await codeOf(second.prepare(testModel)), 'LOCKED');
      assert.is((await second.nearest(drawnVector(1), { topK: 1 }))[0]!.id, 'a#0');
      await first.close();
      await second.prepare(testModel);
      assert.is((await second.write(batch({ run: 2, documents: [documentWrite('b', ['two'])] }))).rowsWritten, 1);
    });
  }

  if (isShared) {
    t('two writers with the same new ids leave each row once', async () => {
      const address = fresh();
      const stores = [await prepared(address), await open(address)];
      const documents = Array.from({ length: 40 }, (_, i) => documentWrite(`d${i}`, ['one', 'two', 'three']));
      const writeAll = async (store: Store): Promise<void> => {
        for (let i = 0; i < documents.length; i += 4) await store.write(batch({ documents: documents.slice(i, i + 4) }));
      };
      await Promise.all(stores.map(writeAll));
      assert.equal(await stores[0]!.size(), { documents: 40, rows: 120 });
    });
  }

  t('an aborted call is refused with the reason of its signal', async () => {
    const store = await prepared();
    const signal = AbortSignal.abort(new Error('enough'));
    const error = await store.write(batch({ documents: [documentWrite('a', ['x'])] }), signal).catch((e: unknown) => e as Error);
    assert.is((error as Error).message, 'enough');
    assert.equal(await store.size(), { documents: 0, rows: 0 });
  });

  t.run();
}
