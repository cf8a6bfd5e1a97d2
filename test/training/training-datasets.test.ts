import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { rowsOf, type Dataset } from '../../src/training/datasets/dataset.js';
import {
  openDataset,
  readConll,
  readCsv,
  readJsonl,
  readLines,
  readSquad,
  readTsv,
  shuffledRows,
} from '../../src/training/datasets/index.js';
import { toIob2 } from '../../src/training/datasets/read-conll.js';
import { Random } from '../../src/training/datasets/random.js';
import { suite } from '../support/suite.js';

const t = suite('training datasets');
const folder = mkdtempSync(join(tmpdir(), 'bertha-datasets-'));
t.after(() => rmSync(folder, { recursive: true }));

function file(name: string, text: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

async function all<R>(dataset: Dataset<R>): Promise<R[]> {
  const rows: R[] = [];
  for await (const row of rowsOf(dataset)) rows.push(row);
  return rows;
}

async function failure(work: () => Promise<unknown>): Promise<string> {
  try {
    await work();
  } catch (error) {
    const { code, message } = error as { code: string; message: string };
    return `${code}: ${message}`;
  }
  return 'nothing';
}

t('JSON lines are read anew in every iteration, with BOM, CRLF and blank lines', async () => {
  const path = file('a.jsonl', '\ufeff{"text":"eins","label":1}\r\n\r\n"zwei"\n{"text":"三🚀","label":0}');
  const dataset = readJsonl(path);
  const expected = [{ text: 'eins', label: 1 }, { text: 'zwei' }, { text: '三🚀', label: 0 }];
  assert.equal(await all(dataset), expected);
  assert.equal(await all(dataset), expected);
  assert.is(await dataset.count(), 3);
  assert.is(dataset.length, 3);
});

t('a broken line is named by file and number', async () => {
  const path = file('broken.jsonl', '{"text":"a"}\n\n{"text":}\n');
  assert.match(await failure(() => all(readJsonl(path))), /^DATASET: Expected JSON in line 3 of .*broken\.jsonl but received/);
  assert.match(await failure(() => all(readJsonl(file('list.jsonl', '[1]\n')))), /DATASET: Expected a JSON object or string in line 1/);
});

t('CSV has quotes, line ends within them, and errors by the line that a record begins on', async () => {
  const path = file('a.csv', '\ufefftext,label\r\n"a, ""b""\r\nc",pos\r\n\r\nd,neg\r\n');
  assert.equal(await all(readCsv(path)), [
    { text: 'a, "b"\r\nc', label: 'pos' },
    { text: 'd', label: 'neg' },
  ]);
  const wrong = file('wrong.csv', 'text,label\n"a\nb",1\nc,2,3\n');
  assert.match(await failure(() => all(readCsv(wrong))), /^DATASET: Expected 2 fields in line 4 of .*wrong\.csv.* received 3/);
  assert.match(await failure(() => all(readCsv(file('open.csv', 'a,b\n1,"2\n')))), /DATASET: Expected well-formed CSV in line 2/);
});

t('TSV may have no header and no quotes', async () => {
  const path = file('a.tsv', '5\t"Hello\tyou\n3\ta\tb\n');
  assert.equal(await all(readTsv(path, { columns: ['label', 'text', 'pair'], quotes: false })), [
    { label: '5', text: '"Hello', pair: 'you' },
    { label: '3', text: 'a', pair: 'b' },
  ]);
  assert.throws(() => readTsv(path, { columns: ['a', 'a'] }), /different names/);
});

t('lines are texts', async () => {
  assert.equal(await all(readLines(file('a.txt', 'one\n\ntwo\r\n'))), [{ text: 'one' }, { text: 'two' }]);
});

t('an empty file is an error that names it', async () => {
  for (const dataset of [
    readJsonl(file('none.jsonl', '')),
    readCsv(file('none.csv', 'text,label\n')),
    readConll(file('none.conll', '\n\n')),
  ]) {
    assert.match(await failure(() => all<unknown>(dataset)), /^EMPTY_INPUT: Expected rows in .*none\./);
  }
  assert.match(await failure(() => all(readJsonl(join(folder, 'absent.jsonl')))), /^IO: Expected to read .*absent\.jsonl/);
});

t('CoNLL becomes sentences in IOB2, wherever the last one ends', async () => {
  const path = file(
    'a.conll',
    '-DOCSTART- -X- O O\n\nEU NNP I-NP I-ORG\nrejects VBZ I-VP O\nGerman JJ I-NP I-MISC\r\n\n\nPeter NNP I-NP I-PER\nParis NNP I-NP B-PER',
  );
  assert.equal(await all(readConll(path)), [
    { tokens: ['EU', 'rejects', 'German'], tags: ['B-ORG', 'O', 'B-MISC'] },
    { tokens: ['Peter', 'Paris'], tags: ['B-PER', 'B-PER'] },
  ]);
  assert.equal((await all(readConll(path, { tagColumn: 1, scheme: 'keep' })))[0]!.tags, ['NNP', 'VBZ', 'JJ']);
  const tabs = file('tabs.conll', 'New York\tB-LOC\n#\tO\n');
  assert.equal(await all(readConll(tabs)), [{ tokens: ['New York', '#'], tags: ['B-LOC', 'O'] }]);
});

t('CoNLL names a row with other columns', async () => {
  const path = file('broken.conll', 'a O\nb O\n\nc\n');
  assert.match(await failure(() => all(readConll(path))), /^DATASET: Expected 2 columns in line 4 of .*broken\.conll/);
  assert.match(await failure(() => all(readConll(file('one.conll', 'word\n')))), /a word and a tag .* line 1 of .*received one column/);
});

t('every scheme of tags becomes IOB2', () => {
  assert.equal(toIob2(['I-A', 'I-A', 'B-A', 'I-B', 'O', 'I-A']), ['B-A', 'I-A', 'B-A', 'B-B', 'O', 'B-A']);
  assert.equal(toIob2(['S-A', 'S-A', 'B-B', 'I-B', 'E-B', 'O', 'B-A', 'E-A']), ['B-A', 'B-A', 'B-B', 'I-B', 'I-B', 'O', 'B-A', 'I-A']);
  assert.equal(toIob2(['U-A', 'B-B', 'L-B', 'I-B']), ['B-A', 'B-B', 'I-B', 'B-B']);
  const iob2 = ['B-A', 'I-A', 'B-A', 'O', 'B-LOC-GEO', 'I-LOC-GEO', 'X'];
  assert.equal(toIob2(iob2), iob2);
});

const squad = (context: string, answer: string, start: number, more: object = {}) => ({
  version: '1.1',
  data: [
    {
      title: 't',
      paragraphs: [{ context, qas: [{ id: 'q', question: 'Q?', answers: [{ text: answer, answer_start: start }], ...more }] }],
    },
  ],
});

t("SQuAD's code points become UTF-16 units, and 2.0 has questions without an answer", async () => {
  const path = file('s.json', JSON.stringify(squad('🚀🚀 to the moon', 'moon', 10), null, 1));
  const [row] = await all(readSquad(path));
  assert.equal(row, { id: 'q', question: 'Q?', context: '🚀🚀 to the moon', answers: { text: ['moon'], answerStart: [12] } });
  assert.is(row!.context.slice(12, 16), 'moon');
  const impossible = file('i.json', JSON.stringify(squad('c', '', 0, { answers: [], is_impossible: true })));
  assert.equal((await all(readSquad(impossible)))[0]!.answers, { text: [], answerStart: [] });
});

t('SQuAD names the line of what is wrong', async () => {
  const text = JSON.stringify(squad('abc', 'b', 1), null, 1);
  assert.match(
    await failure(() => all(readSquad(file('cut.json', text.slice(0, -9))))),
    /^DATASET: Expected JSON in line \d+ .*before its last bracket/,
  );
  const line = text.split('\n').findIndex((each) => each.includes('"title"')) + 1;
  assert.match(
    await failure(() => all(readSquad(file('bad.json', text.replace('"title":', '"title"'))))),
    new RegExp(`^DATASET: Expected JSON in line ${line} of`),
  );
  assert.match(await failure(() => all(readSquad(file('other.json', '{"data":[{"paragraphs":[{"text":"a"}]}]}')))), /context and qas/);
  assert.match(await failure(() => all(readSquad(file('empty.json', '{"data":[]}')))), /^EMPTY_INPUT/);
});

t("a file's name tells its format, and JSON its contents", async () => {
  assert.equal(await openDataset(file('rows.json', ' [{"text":"a"},\n{"text":"b"}]')), [{ text: 'a' }, { text: 'b' }]);
  const questions = await openDataset(file('squad.json', JSON.stringify(squad('abc', 'b', 1))));
  assert.is(questions.length, 1);
  assert.match(await failure(() => openDataset(file('rows.json', '[1]'))), /DATASET: Expected an object that ends in line 1/);
  assert.match(await failure(() => openDataset(join(folder, 'x.parquet'))), /^INVALID_ARG: Expected a file whose name ends with jsonl/);
});

t('a shuffle buffer gives every row once, in an order that seed and epoch decide', async () => {
  const rows = Array.from({ length: 100 }, (_, i) => i * 2);
  const order = async (seed: number, epoch: number, bufferSize = 10) => {
    const items: number[] = [];
    for await (const { row, index } of shuffledRows(rows, { bufferSize, seed, epoch })) {
      assert.is(row, 2 * index);
      items.push(row);
    }
    return items;
  };
  const first = await order(1, 0);
  assert.equal(
    [...first].sort((a, b) => a - b),
    rows,
  );
  assert.equal(await order(1, 0), first);
  for (const other of [await order(1, 1), await order(2, 0), rows]) assert.not.equal(other, first);
  assert.is(Math.max(...(await order(1, 0)).slice(0, 5)) < 2 * 20, true, 'the buffer is what is shuffled');
});

t('random numbers are spread evenly and depend on every key', () => {
  const random = new Random(42, 7);
  const counts = new Array<number>(10).fill(0);
  for (let i = 0; i < 10_000; i++) counts[random.below(10)]!++;
  // 10,000 draws: a standard deviation of 30.
  for (const count of counts) assert.ok(Math.abs(count - 1000) < 150, String(counts));
  const firsts = [
    [1, 2],
    [2, 1],
    [1, 2, 0],
    [1 + 2 ** 32, 2],
  ].map((keys) => new Random(...keys).uniform());
  assert.is(new Set(firsts).size, 4);
});

t('a generator has one epoch, and says so', async () => {
  const generator = (function* () {
    yield 1;
  })();
  assert.equal(await all(generator), [1]);
  assert.match(await failure(() => all(generator)), /^INVALID_ARG: Expected a dataset that can be read again/);
});

t.run();
