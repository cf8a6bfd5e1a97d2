import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { readLines } from '../../src/text-files/lines.js';
import { readyGroups } from '../../src/cli/groups.js';
import { fit, table } from '../../src/cli/terminal/table.js';
import { shorten } from '../../src/cli/terminal/width.js';
import type { BerthaError } from '../../src/errors.js';

const lines = suite('cli lines');

async function* stream(...chunks: (string | Uint8Array)[]) {
  for (const chunk of chunks) yield typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk;
}

async function read(...chunks: (string | Uint8Array)[]): Promise<string[]> {
  const result: string[] = [];
  for await (const block of readLines(stream(...chunks), 'test')) result.push(...block.map(({ text }) => text));
  return result;
}

lines('end with \\n or \\r\\n, wherever the chunks are cut', async () => {
  assert.equal(await read('one\ntwo\r\nthree'), ['one', 'two', 'three']);
  assert.equal(await read('on', 'e\r', '\ntw', 'o\n'), ['one', 'two']);
});

lines('may be empty, but the end of the last line begins no other', async () => {
  assert.equal(await read('\n\na\n'), ['', '', 'a']);
  assert.equal(await read(''), []);
});

lines('are not ended by other Unicode separators', async () => {
  assert.equal(await read('a\u2028b\u0085c\rd\n'), ['a\u2028b\u0085c\rd']);
});

lines('are UTF-8, cut anywhere, without a byte order mark, invalid bytes replaced', async () => {
  const bytes = new TextEncoder().encode('\ufeff日本\n🚀');
  assert.equal(await read(...Array.from(bytes, (byte) => Uint8Array.of(byte))), ['日本', '🚀']);
  assert.equal(await read(Uint8Array.of(0x61, 0xff, 0x62)), ['a\ufffdb']);
});

lines('come as soon as a chunk completes them, with their numbers', async () => {
  const blocks: number[][] = [];
  for await (const block of readLines(stream('x\nx\n', 'x\ny', 'y'), 'test')) blocks.push(block.map(({ number }) => number));
  assert.equal(blocks, [[1, 2], [3], [4]]);
});

lines('longer than any text is allowed to be are refused before they fill the memory', async () => {
  const chunk = 'x'.repeat(1 << 20);
  let chunks = 0;
  const endless = async function* () {
    for (; chunks < 1000; chunks++) yield new TextEncoder().encode(chunk);
  };
  try {
    for await (const block of readLines(endless(), 'test')) assert.unreachable(`a block of ${block.length}`);
    assert.unreachable('no error');
  } catch (error) {
    assert.is((error as BerthaError).code, 'INPUT_TOO_LARGE');
  }
  assert.ok(chunks < 70);
});

lines.run();

const gathering = suite('readyGroups');

gathering('gathers what is ready, up to a bound', async () => {
  const items = async function* () {
    for (let i = 0; i < 10; i++) yield i;
  };
  const lists: number[][] = [];
  for await (const list of readyGroups(items(), 4)) lists.push(list);
  assert.equal(lists, [
    [0, 1, 2, 3],
    [4, 5, 6, 7],
    [8, 9],
  ]);
});

gathering('hands over what it has while the next item is not there yet', async () => {
  let release = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const items = async function* () {
    yield 1;
    yield 2;
    await gate;
    yield 3;
  };
  const lists: number[][] = [];
  for await (const list of readyGroups(items(), 100)) {
    lists.push(list);
    release();
  }
  assert.equal(lists, [[1, 2], [3]]);
});

gathering('fails where the stream fails, after what came before, and closes a stream that is left', async () => {
  const failing = async function* () {
    yield 1;
    throw new RangeError('mine');
  };
  const lists: number[][] = [];
  const consume = async () => {
    for await (const list of readyGroups(failing(), 100)) lists.push(list);
  };
  await consume().then(
    () => assert.unreachable(),
    (error: unknown) => assert.instance(error, RangeError),
  );
  assert.equal(lists, [[1]]);
  let isClosed = false;
  const endless = async function* () {
    try {
      for (;;) yield 1;
    } finally {
      isClosed = true;
    }
  };
  for await (const list of readyGroups(endless(), 3)) if (list.length === 3) break;
  assert.ok(isClosed);
});

gathering.run();

const tables = suite('cli table');

tables('align columns and can be continued', () => {
  const columns = [
    { name: 'n', width: 4, align: 'right' as const },
    { name: 'text', width: 6 },
  ];
  const head = table(columns, [['1', 'one']], { header: true });
  const rest = table(columns, [['22', 'two']], { header: false });
  assert.is(head + rest, '   n  text\n   1  one\n  22  two\n');
  assert.is(table(columns, [], { header: false }), '');
});

tables('show any text on one line', () => {
  assert.is(shorten('a\nb\tc\u0000d\u001b[31m', 20), 'a b c\u{fffd}d\u{fffd}[31m');
  assert.is(shorten('🚀🚀🚀🚀', 3), '🚀…');
  assert.is(shorten('🚀🚀', 4), '🚀🚀');
  assert.is(shorten('日本語', 5), '日本…');
  assert.is(shorten('x'.repeat(1e6), 5), 'xxxx…');
});

tables('keep joiners, variation selectors and soft hyphens, and never cut inside a grapheme', () => {
  const family = '👨\u200d👩\u200d👧';
  for (const text of [family, '❤\ufe0f', 'co\u00adoperate', 'می\u200cخواهم', 'e\u0301', '🇩🇪']) assert.is(shorten(text, 20), text);
  assert.is(shorten(family.repeat(3), 4), `${family}…`);
  assert.is(shorten('e\u0301'.repeat(9), 3), 'e\u0301e\u0301…');
  assert.is(shorten(`e${'\u0301'.repeat(1e5)}`, 3).length, 64, 'a letter with marks without end');
  assert.is(shorten('\ud800', 3), '\ufffd');
});

tables('shrink one column to fit the terminal', () => {
  const columns = [
    { name: 'text', width: 40 },
    { name: 'n', width: 10 },
  ];
  const widths = (width: number): number[] => fit(columns, width, 'text').map((column) => column.width);
  assert.equal(
    [widths(52), widths(51), widths(30), widths(10)],
    [
      [40, 10],
      [39, 10],
      [18, 10],
      [12, 10],
    ],
  );
});

tables.run();
