import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { readLines } from '../src/cli/input.js';
import { mapInOrder } from '../src/cli/map-in-order.js';
import { shorten, table } from '../src/cli/table.js';
import type { BerthaError } from '../src/errors.js';

const lines = suite('cli lines');

async function* stream(...chunks: (string | Uint8Array)[]) {
  for (const chunk of chunks) yield typeof chunk === 'string' ? new TextEncoder().encode(chunk) : chunk;
}

async function read(...chunks: (string | Uint8Array)[]): Promise<string[]> {
  const result: string[] = [];
  for await (const block of readLines(stream(...chunks), 'test')) result.push(...block);
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

lines('come in blocks of bounded size, as soon as a chunk completes them', async () => {
  const sizes: number[] = [];
  for await (const block of readLines(stream('x\n'.repeat(3000), 'y'), 'test')) sizes.push(block.length);
  assert.equal(sizes, [1024, 1024, 952, 1]);
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

const inOrder = suite('mapInOrder');
const sleep = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

inOrder('keeps the order and the bound', async () => {
  let working = 0;
  let most = 0;
  const map = async (i: number) => {
    most = Math.max(most, ++working);
    await sleep((i * 7) % 5);
    working--;
    return i * 10;
  };
  const items = async function* () {
    for (let i = 0; i < 20; i++) yield i;
  };
  const results: number[] = [];
  for await (const result of mapInOrder(items(), map, 3)) results.push(result);
  assert.equal(
    results,
    Array.from({ length: 20 }, (_, i) => i * 10),
  );
  assert.is(most, 3);
});

inOrder('hands a result over while the next item is not there yet', async () => {
  let release = () => {};
  const gate = new Promise<void>((resolve) => (release = resolve));
  const items = async function* () {
    yield 1;
    await gate;
    yield 2;
  };
  const results: number[] = [];
  for await (const result of mapInOrder(items(), async (i) => i, 2)) {
    results.push(result);
    release();
  }
  assert.equal(results, [1, 2]);
});

inOrder('fails with the failure of an item or of the source, when nothing is in work any more', async () => {
  let working = 0;
  const items = async function* () {
    yield 1;
    yield 2;
    yield 3;
  };
  const map = async (i: number) => {
    working++;
    await sleep(i === 1 ? 1 : 10);
    working--;
    if (i === 1) throw new RangeError('first');
    return i;
  };
  const consume = async () => {
    for await (const result of mapInOrder(items(), map, 2)) assert.unreachable(String(result));
  };
  await consume().then(
    () => assert.unreachable(),
    (error: unknown) => assert.instance(error, RangeError),
  );
  assert.is(working, 0);
});

inOrder.run();

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
  assert.is(shorten('🚀🚀🚀🚀', 3), '🚀🚀…');
  assert.is(shorten('x'.repeat(1e6), 5), 'xxxx…');
});

tables.run();
