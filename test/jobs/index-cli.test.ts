import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { progressText, duration } from '../../packages/jobs/src/command/progress.js';
import { runIndex } from '../../packages/jobs/src/command/index-command.js';
import { runSearch } from '../../packages/jobs/src/command/search-command.js';
import { describeCode, type BerthaError } from '../../src/errors.js';
import { cliProgram } from '../support/cli.js';
import { suite } from '../support/suite.js';

const t = suite('bertha index, bertha search --store');
const folder = mkdtempSync(join(tmpdir(), 'bertha-index-'));
t.after(() => rmSync(folder, { recursive: true }));

interface Ran {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function bertha(...args: readonly string[]): Ran {
  const env = { ...process.env, NO_COLOR: '1' };
  const { status, stdout, stderr } = spawnSync(process.execPath, [cliProgram, ...args], { cwd: folder, encoding: 'utf8', env });
  return { code: status, out: stdout, err: stderr };
}

const texts = {
  'cats.md': '# Cats\n\nA cat sleeps for most of the day, in the sun if there is any.',
  'workers.md': '# Workers\n\nA worker that died is restarted after one second by the supervisor.',
  'soup.md': '# Soup\n\nCut the onions, add water and salt, and boil everything for an hour.',
};

t('indexes files, answers questions on them, and embeds nothing the second time', () => {
  for (const [name, text] of Object.entries(texts)) writeFileSync(join(folder, name), text);
  writeFileSync(join(folder, 'bytes.md'), Buffer.from([0xff, 0x61]));
  const first = bertha('index', '*.md', '--store', 'notes.db');
  assert.is(first.code, 0, first.err);
  assert.match(first.err, /run 1: 3 documents \(0 unchanged\), 3 chunks embedded, 3 rows written/);
  assert.match(first.err, /1 rows could not be used: errors\.jsonl/);
  assert.equal(JSON.parse(readFileSync(join(folder, 'errors.jsonl'), 'utf8')), { place: 'bytes.md', problem: 'it is not UTF-8' });
  assert.match(bertha('index', '*.md', '--store', 'notes.db').err, /run 2: 3 documents \(3 unchanged\), 0 chunks embedded, 0 rows/);

  const found = bertha('search', 'how are processes started again?', '--store', 'notes.db', '--top-k', '1', '--format', 'jsonl');
  assert.is(found.code, 0, found.err);
  const hit = JSON.parse(found.out) as { docId: string; score: number; text: string };
  assert.is(hit.docId, 'workers.md');
  assert.ok(hit.score > 0.3 && hit.score < 1);
  for (const mode of ['keyword', 'hybrid']) {
    const { out, err } = bertha('search', 'onions', '--store=notes.db', '--mode', mode, '-k', '1');
    assert.match(out, /soup\.md#0\n +# Soup Cut the onions/, err);
  }
  assert.is(bertha('search', 'x', '--store', 'notes.db', '--filter', '{"path": "none"}').out, '');
  const pruned = bertha('index', 'cats.md', '--store', 'notes.db', '--prune');
  assert.match(pruned.err, /2 documents removed/);
});

t('says what was expected, and what to do, for wrong usage', async () => {
  const cases: [readonly string[], number, RegExp][] = [
    [['index', 'cats.md'], 2, /Expected --store but received none\. For example: bertha index/],
    [['index', '--store', 'a.db'], 2, /Expected files, folders or patterns to index/],
    [['index', 'no*.txt', '--store', 'a.db'], 2, /Expected files for "no\*\.txt".*quotes/],
    [['index', 'none.md', '--store', 'a.db'], 1, /Expected to read none\.md/],
    [['index', 'cats.md', '--store', 'a.db', '--what'], 2, /--what.*--help lists/],
    [['index', 'cats.md', '--store', 'a.db', '--overlap', '-1'], 2, /--overlap/],
    [['index', 'cats.md', '--store', 'a.db', '--chunk-tokens', '9999'], 1, /chunkTokens/],
    [['index', 'cats.md', '--store', 'ftp://me:secret@host/x?password=secret'], 1, /ftp:\/\/host\/x/],
    [['index', 'cats.md', '--store', 'a.db', '--table', 'A b'], 2, /a-z/],
    [['search', '--store', 'notes.db'], 2, /Expected one question/],
    [['search', 'a', 'b', '--store', 'notes.db'], 2, /Expected one question/],
    [['search', 'a', '--store', 'empty.db'], 2, /it is empty\. Fill it/],
    [['search', 'a', '--store', 'notes.db', '--mode', 'x'], 2, /vector, keyword, hybrid for --mode/],
    [['search', 'a', '--store', 'notes.db', '--filter', '{'], 2, /Expected JSON for --filter/],
    [['search', 'a', '--store', 'notes.db', '--threshold', 'x'], 2, /number for --threshold/],
  ];
  process.chdir(folder);
  for (const [[command, ...args], exitCode, pattern] of cases) {
    const run = command === 'index' ? runIndex(args) : runSearch(args);
    const error = await run.then(() => assert.unreachable(args.join(' ')), (e: unknown) => e as BerthaError); // prettier-ignore
    assert.match((error as BerthaError).message, pattern);
    assert.is(describeCode((error as BerthaError).code).exitCode, exitCode, args.join(' '));
    assert.not.match((error as BerthaError).message, 'secret');
  }
  const { code, err } = bertha('index', 'cats.md');
  assert.equal([code, /^error USAGE: Expected --store/.test(err)], [2, true], err);
  assert.not.ok(existsSync(join(folder, 'a.db')) && readFileSync(join(folder, 'a.db')).length > 1e6);
});

t('has help of its own', () => {
  for (const args of [
    ['index', '--help'],
    ['search', '--store', 'x', '--help'],
  ]) {
    const { code, out } = bertha(...args);
    assert.is(code, 0);
    assert.match(out, /^Usage: bertha (?:index|search) .*--store STORE/);
  }
  assert.match(bertha('--help').out, /index \[sources/);
});

t('shows rate and time left', () => {
  const progress = { documents: 5, documentsUnchanged: 0, embedded: 200, rowsWritten: 200, rowsDeleted: 0, bad: 0, done: 25, total: 100 };
  assert.is(progressText(progress, 10), '25 %, 5 documents, 200 chunks embedded, 20/s, 30 s left');
  assert.is(progressText({ ...progress, done: 0, total: undefined }, 0), '5 documents, 200 chunks embedded, 0/s');
  assert.equal([duration(0.2), duration(89), duration(600), duration(7500)], ['1 s', '89 s', '10 min', '2 h 5 min']);
});

t.run();
