import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';

const t = suite('examples of explanations');
const root = fileURLToPath(new URL('../..', import.meta.url));
const tried = new Set<string>();

/** Runs an example as a user would, against the built package, on a model of the golden data. */
function run(name: string, model: string, ...args: readonly string[]): string {
  assert.ok(existsSync(`${root}dist/index.js`), 'dist/ is missing: npm run build');
  const own = [`examples/explain/${name}`, ...args, '--model', `test/golden-explain/${model}`];
  const { status, stdout, stderr } = spawnSync(process.execPath, own, { cwd: root, encoding: 'utf8' });
  assert.equal([status, stderr], [0, ''], name);
  tried.add(name);
  return stdout;
}

t('pronoun.mjs names a word and a head for each layer', () => {
  const lines = run('pronoun.mjs', 'planted', 'gos zorn ros', '--pronoun', 'ros').trim().split('\n');
  assert.match(lines[0]!, /^what ros reads/);
  for (const line of lines.slice(1)) assert.match(line, /^layer \d, head \d: (gos|zorn) \d+\.\d\d$/);
});

t('similar.mjs adds up to the cosine, but for what special tokens add', () => {
  const output = run('similar.mjs', 'tiny/sentence-mean', 'A cat sits.', 'A kitten rests.');
  assert.match(output, /^cosine 0\.\d{3}\nA cat sits\.\n {2}[+-]\d/);
  assert.match(output, /pairs that add most to it\n( {2}-?\d\.\d{4} \S+ \S+\n){5}$/);
});

t('mistakes.mjs shows the wrong text and the word that led astray', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bertha-examples-'));
  const file = join(folder, 'reviews.jsonl');
  const rows = [
    ['gos zorn', 1],
    ['ros zorn', 0],
    ['duk rim', 0],
    ['mab quib', 'LABEL_2'],
  ];
  writeFileSync(file, rows.map(([text, label]) => `${JSON.stringify({ text, label })}\n`).join(''));
  const output = run('mistakes.mjs', 'planted', file);
  rmSync(folder, { recursive: true });
  assert.match(output, /^75 % of 4 right\n\nLABEL_0, taken for LABEL_1 \([\d.]+ % for LABEL_0\): ros zorn\n {2}zorn \d/);
  assert.match(output, /words that led astray: zorn/);
});

t('parts-of-speech.mjs prints a line a layer', () => {
  const lines = run('parts-of-speech.mjs', 'tiny/bert-mlm').trim().split('\n');
  assert.match(lines[0]!, /^layer +accuracy +control +of \d+ words; \d+ % /);
  assert.match(lines[1]!, /^embeddings +\d+ % +\d+ % +\d+ to \d+ %$/);
});

t('every example was run', () => {
  assert.equal([...tried].sort(), readdirSync(`${root}examples/explain`).sort());
});

t.run();
