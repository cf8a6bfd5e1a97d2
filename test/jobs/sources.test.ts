import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parquetWriteBuffer } from 'hyparquet-writer';
import * as assert from 'uvu/assert';
import { readHtml } from '../../packages/jobs/src/source/html.js';
import { openSource, sourceOf } from '../../packages/jobs/src/source/open-source.js';
import type { Source, SourceItem, Unit } from '../../packages/jobs/src/source/source.js';
import { suite } from '../support/suite.js';

const t = suite('sources');
const folder = mkdtempSync(join(tmpdir(), 'bertha-sources-'));
t.after(() => rmSync(folder, { recursive: true }));
const put = (name: string, content: string | Uint8Array): string => {
  mkdirSync(join(folder, name, '..'), { recursive: true });
  writeFileSync(join(folder, name), content);
  return join(folder, name);
};

async function all(source: Source): Promise<{ units: Unit[]; items: SourceItem[] }> {
  const units: Unit[] = [];
  const items: SourceItem[] = [];
  for await (const unit of source.units()) {
    units.push(unit);
    // As another process reads it: from JSON.
    const other = await sourceOf(JSON.parse(JSON.stringify(source.definition)) as Source['definition']);
    for await (const item of other.read(JSON.parse(JSON.stringify(unit)) as Unit)) items.push(item);
  }
  return { units, items };
}

const idsOf = (items: readonly SourceItem[]): string[] =>
  items.map((item) => ('bad' in item ? `bad ${item.bad.problem}` : item.document.id));
const codeOf = (promise: Promise<unknown>): Promise<unknown> => promise.then(() => 'none', (error: { code: string }) => error.code); // prettier-ignore

t('lists files, folders and patterns, each file once, in the order of names', async () => {
  for (const name of ['t/b.md', 't/a.txt', 't/deep/c.html', 't/deep/d.bin', 't/deep/e.md']) put(name, `<p>${name}</p>`);
  const source = await openSource([join(folder, 't'), join(folder, 't/**/*.md'), join(folder, 't/a.txt')]);
  const { units, items } = await all(source);
  assert.equal(
    idsOf(items),
    ['a.txt', 'b.md', 'deep/c.html', 'deep/e.md'].map((name) => join(folder, 't', name)),
  );
  assert.is(units.length, 1);
  assert.is(source.total, units[0]!.size);
  const again = await all(await openSource([join(folder, 't'), join(folder, 't/**/*.md'), join(folder, 't/a.txt')]));
  assert.equal(again.units, units);
});

t('refuses what has no file, and no path at all', async () => {
  assert.is(await codeOf(openSource([join(folder, 'none/**/*.md')])), 'USAGE');
  assert.is(await codeOf(openSource([join(folder, 'none.md')])), 'IO');
  assert.is(await codeOf(openSource([])), 'USAGE');
});

t('reads JSON lines in ranges of bytes: every line once, wherever a range ends', async () => {
  const lines = Array.from({ length: 3000 }, (_, i) => JSON.stringify({ id: i, text: `ü${'x'.repeat((i * 37) % 500)}`, n: i }));
  for (const [name, text] of [
    ['unix', lines.join('\n')],
    ['ends', `\ufeff${lines.join('\r\n')}\r\n\r\n`],
  ] as const) {
    // prettier-ignore
    const { units, items } = await all(await openSource([put(`${name}.jsonl`, text)]));
    assert.ok(units.length > 2);
    assert.equal(idsOf(items), lines.map((_, i) => `${i}`)); // prettier-ignore
  }
  const record = (await all(await openSource([join(folder, 'unix.jsonl')]))).items[7]!;
  assert.equal('document' in record ? record.document.metadata : {}, { id: 7, n: 7 });
});

t('a line longer than a range belongs to the range that it begins in', async () => {
  const lines = ['{"id":"a","text":"x"}', JSON.stringify({ id: 'long', text: 'y'.repeat(1 << 20) }), '{"id":"b","text":"z"}'];
  const { units, items } = await all(await openSource([put('long.jsonl', lines.join('\n'))]));
  assert.is(units.length, 5);
  assert.equal(idsOf(items), ['a', 'long', 'b']);
});

t('a file that changes between listing and reading is refused', async () => {
  const path = put('changes.jsonl', '{"text":"a"}\n');
  const source = await openSource([path]);
  put('changes.jsonl', '{"text":"a"}\n{"text":"b"}\n');
  assert.is(await codeOf(all(source)), 'DATASET');
  assert.is.not((await openSource([path])).version, source.version);
});

t('cuts CSV between two records, never inside quotes, into the same documents as one part gives', async () => {
  // Line ends, commas and quotes inside quotes, quotes that are none, empty lines, and a field as long as a part.
  const fields = (i: number): string => [`${i}`, `"a ""b""\n\n,\n${'x'.repeat((i * 131) % 900)}"`, `plain "${i}"`, i === 900 ? `"${'\n'.repeat(3e5)}"` : 'z'].join(','); // prettier-ignore
  for (const [name, end] of [
    ['unix', '\n'],
    ['windows', '\r\n'],
  ] as const) {
    // prettier-ignore
    const text = `id,text,note,last${end}${Array.from({ length: 2000 }, (_, i) => fields(i) + end + (i % 7 === 0 ? end : '')).join('')}2000,"open ""quote`;
    const { units, items } = await all(await openSource([put(`${name}-parts.csv`, text)]));
    assert.ok(units.length > 3, `${units.length}`);
    assert.is(units.reduce((sum, { size }) => sum + size, 0), Buffer.byteLength(text)); // prettier-ignore
    assert.equal(idsOf(items.slice(0, 2000)), Array.from({ length: 2000 }, (_, i) => `${i}`)); // prettier-ignore
    assert.match(idsOf(items)[2000]!, 'bad expected 4 fields but received 2');
    const place = 'bad' in items[2000]! ? items[2000].bad.place : '';
    assert.match(place, /^record 2002 of /);
    const [first] = items;
    assert.equal('document' in first! && first.document.metadata, { id: '0', note: 'plain "0"', last: 'z' });
  }
});

t('reads CSV with quotes, line ends and bytes that are no UTF-8', async () => {
  const bytes = Buffer.concat([
    Buffer.from('\ufeffid,body,lang\n1,"a, ""b""\nc",en\n2,only two\n3,Zoë,de\n4,'),
    Buffer.from([0xff, 0x2c]),
    Buffer.from('x\n'),
  ]);
  const { items } = await all(await openSource([put('x.csv', bytes)], { textField: 'body' }));
  assert.equal(idsOf(items), ['1', 'bad expected 3 fields but received 2', '3', 'bad it is not UTF-8']);
  assert.equal(items[0], { document: { id: '1', text: 'a, "b"\nc', metadata: { id: '1', lang: 'en' } } });
  assert.equal(idsOf((await all(await openSource([put('x.tsv', 'id\ttext\n9\ta,b\n')]))).items), ['9']);
  assert.is(await codeOf(all(await openSource([put('twice.csv', 'a,a\n1,2\n')]))), 'DATASET');
});

t('reads Parquet a row group at a time', async () => {
  const id = Array.from({ length: 250 }, (_, i) => BigInt(i));
  const columnData = [{ name: 'id', data: id, type: 'INT64' as const }, { name: 'text', data: id.map((i) => `Text ${i} ü`), type: 'STRING' as const }, { name: 'score', data: id.map(Number), type: 'DOUBLE' as const }]; // prettier-ignore
  const { units, items } = await all(
    await openSource([put('x.parquet', new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 100 })))]),
  );
  assert.is(units.length, 3);
  assert.equal(idsOf(items), id.map(String));
  assert.equal(items[201], { document: { id: '201', text: 'Text 201 ü', metadata: { id: 201, score: 201 } } });
  assert.is(await codeOf(all(await openSource([put('bad.parquet', 'PAR1 no')]))), 'DATASET');
});

t('records without an id are named by their places; a named id field must be there', async () => {
  const path = put('ids.jsonl', '{"text":"a"}\n{"key":"k","text":"b"}\n');
  assert.equal(idsOf((await all(await openSource([path]))).items), [`byte 0 of ${path}`, `byte 13 of ${path}`]);
  const named = (await all(await openSource([path], { idField: 'key' }))).items;
  assert.match(idsOf(named)[0]!, /^bad expected a string or a number in field "key" but received none/);
  assert.is(idsOf(named)[1], 'k');
});

t('reads HTML as Markdown has it, without scripts', () => {
  const page = readHtml(
    '<!doctype html><html><head><title>The &amp; title</title><style>p{}</style></head><body><nav>Menu</nav><h2>Head</h2><p>One <b>bold</b>&nbsp;word.<br>Next' +
      '<script>var x = "<p>no</p>"</script><ul><li>first<li>second</ul><table><tr><td>cell</table><p>open',
  );
  assert.is(page.title, 'The & title');
  assert.is(page.text, 'Menu\n\n## Head\n\nOne bold word.\nNext\n\nfirst\n\nsecond\n\ncell\n\nopen');
  assert.equal(readHtml(''), { title: '', text: '' });
  assert.is(readHtml('<p'.repeat(100_000)).text, '');
});

t.run();
