// What the commands read: files of lines, JSON lines and CSV, several of them, pipes; what of it they pass on; how they fail and end.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as assert from 'uvu/assert';
import { readCsv } from '../../src/cli/readers/csv.js';
import { FieldReader } from '../../src/cli/readers/fields.js';
import { withFields, type Item } from '../../src/cli/readers/item.js';
import { readJsonLines } from '../../src/cli/readers/json-lines.js';
import { openTexts } from '../../src/cli/input.js';
import type { BerthaError } from '../../src/errors.js';
import { cliProgram } from '../support/cli.js';
import { golden } from '../support/checkpoint-files.js';
import { Random } from '../support/random.js';
import { skip } from '../support/skip.js';
import { suite } from '../support/suite.js';

const folder = mkdtempSync(path.join(tmpdir(), 'bertha-cli-files-'));

function fileOf(name: string, content: string): string {
  const file = path.join(folder, name);
  writeFileSync(file, content);
  return file;
}

async function* bytes(text: string, size: number): AsyncGenerator<Uint8Array> {
  const all = new TextEncoder().encode(text);
  for (let i = 0; i < all.length; i += size) yield all.subarray(i, i + size);
}

async function collect(blocks: AsyncIterable<readonly Item[]>): Promise<Item[]> {
  const items: Item[] = [];
  for await (const block of blocks) items.push(...block);
  return items;
}

async function messageOf(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    return `${(error as BerthaError).code}: ${(error as BerthaError).message}`;
  }
  return 'no error';
}

const told: string[] = [];
const fields = (names = {}) => new FieldReader(names, (message) => told.push(message));
const csv = (text: string, names = {}, size = 7, delimiter: ',' | '\t' = ',') =>
  collect(readCsv(bytes(text, size), 'x.csv', delimiter, fields(names)));
const jsonLines = (text: string, names = {}, size = 7) => collect(readJsonLines(bytes(text, size), 'x.jsonl', fields(names)));

const records = suite('cli records');

records('of CSV hold commas, quotes and line ends, wherever chunks are cut', async () => {
  const text = '\ufeffid,text\r\n1,"a, ""b""\r\nc"\r\n2,5" disk\n\n3,日本\n4,"end"';
  for (const size of [1, 2, 3, 7, 1000]) {
    assert.equal(
      (await csv(text, {}, size)).map(({ text: each, fields: others, place }) => [each, others, place]),
      [
        ['a, "b"\r\nc', { id: '1' }, 'record 2 of x.csv'],
        ['5" disk', { id: '2' }, 'record 3 of x.csv'],
        ['日本', { id: '3' }, 'record 5 of x.csv'],
        ['end', { id: '4' }, 'record 6 of x.csv'],
      ],
      `chunks of ${size}`,
    );
  }
});

records('of CSV read back what was written, whatever is in it', async () => {
  const random = new Random(11);
  const quote = (value: string) => (random.next() < 0.3 || /[",\n\r]|^$/.test(value) ? `"${value.replaceAll('"', '""')}"` : value);
  for (let round = 0; round < 60; round++) {
    const rows = Array.from({ length: 1 + Math.floor(random.next() * 6) }, () =>
      Array.from({ length: 3 }, () => Array.from({ length: Math.floor(random.next() * 6) }, () => random.pick([...'a",\n é'])).join('')),
    );
    const text = `text,b,c\n${rows.map((row) => row.map(quote).join(',')).join('\n')}\n`;
    const read = await csv(text, {}, 1 + Math.floor(random.next() * 9));
    assert.equal(
      read.map((item) => [item.text, item.fields!['b'], item.fields!['c']]),
      rows,
    );
  }
});

records('of CSV that do not fit their names are refused by number', async () => {
  assert.match(await messageOf(() => csv('text,b\n1,2\n1,2,3\n')), /USAGE: Expected 2 fields in record 3 of x\.csv.*received 3/);
  assert.match(await messageOf(() => csv('text,text\n1,2\n')), /names of the fields in record 1 of x\.csv.*"text" twice/);
  assert.match(await messageOf(() => csv('text,\n1,2\n')), /empty one in column 2/);
  assert.match(await messageOf(() => csv('text,b\n1,"2\n3,4\n')), /well-formed CSV in record 2 of x\.csv.*unterminated/);
  assert.match(await messageOf(() => csv('text,b\n1,2\n', { text: 'txet' })), /the field "txet" in record 2.*fields are: text, b/);
});

records('of JSON are objects or strings; a bad line is named', async () => {
  assert.equal(await jsonLines('{"text":"a","id":[1]}\n\n"b"\n'), [
    { text: 'a', fields: { id: [1] }, place: 'line 1 of x.jsonl' },
    { text: 'b', place: 'line 3 of x.jsonl' },
  ]);
  assert.match(await messageOf(() => jsonLines('{"text":"a"}\n{"text":\n')), /USAGE: Expected JSON in line 2 of x\.jsonl/);
  assert.match(await messageOf(() => jsonLines('{"text":"a"}\n[1]\n')), /object or string in line 2 of x\.jsonl/);
  assert.match(await messageOf(() => jsonLines('{"text":5}\n', { text: 'text' })), /text in the field "text" of line 1.*a number/);
  assert.match(await messageOf(() => jsonLines('{"text":"a"}\n{"txt":"b"}\n')), /the field "text" in line 2 of x\.jsonl.*fields are: txt/);
});

records('have their text found by known names, else by being the only text, and say so once', async () => {
  told.length = 0;
  await jsonLines('{"id":"x","sentence":"a"}\n{"id":"y","sentence":"b"}\n');
  assert.equal(told, ['reading the field "sentence" (--field chooses another)']);
  const [pair] = await jsonLines('{"sentence1":"a","sentence2":"b","gold":1}\n', { wantsPair: true });
  assert.equal([pair!.text, pair!.pair, pair!.fields], ['a', 'b', { gold: 1 }]);
  assert.equal(
    (await jsonLines('{"id":1,"was":"only"}\n')).map(({ text }) => text),
    ['only'],
  );
  assert.match(await messageOf(() => jsonLines('{"a":"x","b":"y"}\n')), /Expected --field.*whose fields are: a, b/);
});

records('do not lose a field whose name the result has too', () => {
  assert.equal(withFields({ index: 0, text: 'a' }, { text: 'a', fields: { index: 9, id: 7 } }), {
    index: 0,
    text: 'a',
    input_index: 9,
    id: 7,
  });
  assert.equal(withFields({ __proto__: null, a: 1 }, { text: 'a' })['a'], 1);
});

records('come in blocks of bounded size', async () => {
  const { blocks } = await openTexts([], { file: [fileOf('many.txt', 'x\n'.repeat(3000))] });
  const sizes: number[] = [];
  for await (const block of blocks) sizes.push(block.length);
  assert.ok(Math.max(...sizes) <= 1024 && sizes.reduce((a, b) => a + b, 0) === 3000, sizes.join(' '));
});

records('of several files follow each other; the first that is missing is named before any work', async () => {
  const files = [fileOf('a.txt', 'one\ntwo'), fileOf('b.tsv', 'text\tn\nthree\t3\n'), fileOf('c.ndjson', '"four"\n')];
  const items = await collect((await openTexts([], { file: files })).blocks);
  assert.equal(
    items.map(({ text }) => text),
    ['one', 'two', 'three', 'four'],
  );
  assert.match(
    await messageOf(() => openTexts([], { file: [files[0]!, path.join(folder, 'none.txt')] })),
    /IO: Expected to read .*none\.txt/,
  );
  const asked = { file: [files[0]!], field: 'text' };
  assert.match(await messageOf(async () => collect((await openTexts([], asked)).blocks)), /--input-format jsonl, csv or tsv for --field/);
});

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function bertha(args: readonly string[], input: string | null = '', environment: Record<string, string> = {}): Promise<Result> {
  const child = spawn(process.execPath, [cliProgram, ...args], {
    env: { ...process.env, NO_COLOR: '1', FORCE_COLOR: '', ...environment },
    stdio: [input === null ? 'ignore' : 'pipe', 'pipe', 'pipe'],
  });
  let stdout = '';
  let stderr = '';
  child.stdout!.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr!.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(input);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

const commands = suite('cli files');
const nli = ['-m', golden('tiny', 'bert-nli'), '--format', 'jsonl'];

commands('a pipe is read without a dash, short flags work, other fields are passed on', async () => {
  const file = fileOf('rows.csv', 'id,review\n1,"Good, very."\n2,Bad\n');
  const { code, stdout, stderr } = await bertha(['classify', '-f', file, '--field', 'review', '-k', '1', '-t', '1', ...nli]);
  assert.equal([code, stderr], [0, `bertha: reading ${file} as csv (--input-format chooses another)\n`]);
  const rows = stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { text: string; id: string; labels: object[] });
  assert.equal(
    rows.map(({ text, id, labels }) => [text, id, labels.length]),
    [
      ['Good, very.', '1', 1],
      ['Bad', '2', 1],
    ],
  );
  const piped = await bertha(['tokenize', '--format', 'jsonl'], 'one\ntwo\n');
  assert.equal([piped.code, piped.stdout.split('\n').length, piped.stderr], [0, 3, '']);
});

commands('classify takes a pair from each line', async () => {
  const lines = await bertha(['classify', '--pairs', ...nli], 'It rains.\tIt is wet.\nA.\tB.\n');
  const records = await bertha([
    'classify',
    '-f',
    fileOf('p.jsonl', '{"premise":"It rains.","hypothesis":"It is wet."}\n'),
    '--pair-field',
    'hypothesis',
    ...nli,
  ]);
  const alone = await bertha(['classify', 'It rains.', '--pair', 'It is wet.', ...nli]);
  const labels = ({ stdout }: Result) => (JSON.parse(stdout.split('\n')[0]!) as { labels: object[] }).labels;
  assert.equal(labels(lines), labels(alone));
  assert.equal(labels(records), labels(alone));
  assert.is((await bertha(['classify', '--pairs', '--pair', 'x', ...nli], 'a\tb\n')).code, 2);
});

commands('wrong usage ends with 2 and names the flag or the line', async () => {
  const wrong: readonly (readonly [readonly string[], string | null, RegExp])[] = [
    [['embed'], null, /Expected texts, --file, or texts on standard input but received none/],
    [['embed'], '', /Expected texts/],
    [['embed', 'x', '--dimensions', '500'], '', /from 1 to 384 for --dimensions but received 500/],
    [['embed', 'x', '--max-length', '9999'], '', /for --max-length but received 9999/],
    [['nsp', '-m', golden('tiny', 'bert-nsp')], 'a\tb\nno tab\n', /in line 2 of standard input/],
    [['classify', '-f', fileOf('bad.jsonl', '{"text":"a"}\n{\n'), ...nli], '', /line 2 of .*bad\.jsonl/],
    [['embed', '-f', 'x', 'y'], '', /either texts or --file/],
    [['no-such-command'], '', /unknown command/],
    [[], '', /Usage: bertha/],
  ];
  const results = await Promise.all(wrong.map(([args, input]) => bertha(args, input)));
  results.forEach(({ code, stderr }, i) => assert.equal([code, wrong[i]![2].test(stderr)], [2, true], stderr));
});

commands('a text that a task cannot use is named by its line; a missing head names a model that has it', async () => {
  const { stderr } = await bertha(['fill-mask', '-m', golden('tiny', 'bert-mlm')], 'a [MASK]\nb\n');
  assert.match(stderr, /NO_MASK: .*in line 2 of standard input/);
  assert.match((await bertha(['rerank', 'x', 'y'])).stderr, /NO_HEAD.*--model cross-encoder\/ms-marco/);
  assert.match(
    (await bertha(['rerank', '--help'])).stdout.replaceAll(/\s+/g, ' '),
    /needed: one with the head for this, such as cross-encoder/,
  );
});

commands('search, cluster and dedupe compare the texts of files by meaning', async () => {
  const file = fileOf(
    't.jsonl',
    [
      'A cat sits on the mat.',
      'Stocks fell sharply.',
      'A cat is sitting on the mat.',
      'Share prices dropped.',
      'A cat sits on the mat.',
      'It is raining.',
    ]
      .map((text, id) => JSON.stringify({ text, id }))
      .join('\n'),
  );
  type Row = Readonly<Record<'index' | 'id' | 'score' | 'duplicate_of' | 'cluster', number | null>>;
  const rows = async (...args: string[]): Promise<Row[]> => {
    const { code, stdout, stderr } = await bertha([...args, '-f', file, '--format', 'jsonl']);
    assert.is(code, 0, stderr);
    return stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Row);
  };
  const found = await rows('search', 'the market', '-k', '2');
  assert.equal(found.map(({ id }) => id).sort(), [1, 3]);
  assert.ok(found[0]!.score! >= found[1]!.score!);
  const clusters = await rows('cluster', '--threshold', '0.6');
  const of = (cluster: number | null) =>
    clusters
      .filter((row) => row.cluster === cluster)
      .map(({ id }) => id)
      .sort();
  assert.equal([of(0), of(1), of(null)], [[0, 2, 4], [1, 3], [5]]);
  assert.equal(
    (await rows('dedupe')).map(({ id }) => id),
    [0, 1, 3, 5],
  );
  assert.equal(
    (await rows('dedupe', '--duplicates')).map(({ id, duplicate_of: of }) => [id, of]),
    [
      [2, 0],
      [4, 0],
    ],
  );
  assert.is((await bertha(['dedupe', 'same', 'same', 'other'])).stdout, 'same\nother\n');
  assert.is((await bertha(['cluster', 'x', '--threshold', '2'])).code, 2);
});

commands('piped output is plain, in CI too', async () => {
  const { stdout } = await bertha(['tokenize', 'x'], '', { CI: 'true', NO_COLOR: '' });
  assert.ok(!stdout.includes('\u001b'), JSON.stringify(stdout));
});

/** Runs a command on a terminal of 80 columns, by script(1) of util-linux; `whenSeen` is typed once `text` is there. */
function onTerminal(args: readonly string[], text: string, whenSeen: string): Promise<string> {
  const quoted = [process.execPath, cliProgram, ...args].map((each) => `'${each.replaceAll("'", "'\\''")}'`).join(' ');
  const child = spawn('script', ['-qfec', `stty cols 80; exec ${quoted}`, '/dev/null'], {
    env: { ...process.env, NO_COLOR: '1', TERM: 'xterm' },
    stdio: ['pipe', 'pipe', 'ignore'],
  });
  let seen = '';
  let isTyped = false;
  child.stdout.on('data', (chunk: Buffer) => {
    seen += chunk.toString();
    if (isTyped || !seen.includes(text)) return;
    isTyped = true;
    child.stdin.write(whenSeen);
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', () => resolve(seen));
  });
}

commands('Ctrl-C gives the cursor back and ends the line of the bar', async () => {
  const file = fileOf('long.txt', 'some words to embed, again and again\n'.repeat(200_000));
  let seen: string;
  try {
    seen = await onTerminal(['embed', '-f', file, '--format', 'jsonl', '-o', path.join(folder, 'out.jsonl')], 'embedding', '\u0003');
  } catch {
    return skip('script (util-linux)');
  }
  const [hidden, shown] = [seen.lastIndexOf('\u001b[?25l'), seen.lastIndexOf('\u001b[?25h')];
  assert.ok(hidden >= 0 && shown > hidden, JSON.stringify(seen.slice(-200)));
  assert.match(seen, /embedding .*%/);
});

commands('the first table of the README fits a terminal of 80 columns', async () => {
  let seen: string;
  try {
    seen = await onTerminal(['embed', 'A cat sits on the mat.', 'A kitten rests on a rug.', 'Stocks fell sharply.'], '\u0000', '');
  } catch {
    return skip('script (util-linux)');
  }
  const rows = seen.split(/\r?\n/);
  assert.ok(rows.length > 7, seen);
  for (const row of rows) assert.ok(row.length <= 80, row);
});

commands.after(() => rmSync(folder, { recursive: true, force: true }));

records.run();
commands.run();
