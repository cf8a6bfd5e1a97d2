import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { cliProgram } from '../support/cli.js';
import { suite } from '../support/suite.js';

const t = suite('bertha explain');
const folder = mkdtempSync(join(tmpdir(), 'bertha-explain-'));
t.after(() => rmSync(folder, { recursive: true, force: true }));
const golden = (name: string): string => fileURLToPath(new URL(`../golden-explain/${name}`, import.meta.url));

function bertha(args: readonly string[], env: Readonly<Record<string, string>> = { NO_COLOR: '1' }) {
  const { FORCE_COLOR: _, NO_COLOR: __, ...inherited } = process.env;
  const result = spawnSync(process.execPath, [cliProgram, 'explain', ...args], { encoding: 'utf8', env: { ...inherited, ...env } });
  return { code: result.status, output: result.stdout, problem: result.stderr };
}

t('puts sign and size under each word, so that it reads without colours, and colours where they are wanted', () => {
  const args = ['gos zorn ros', '--model', golden('planted'), '--method', 'occlusion'];
  const { code, output } = bertha(args);
  assert.is(code, 0);
  const lines = output.split('\n');
  assert.match(lines[0]!, /^Why LABEL_1\? gos zorn ros$/);
  assert.match(lines[1]!, /^score .* against the baseline pad; occlusion; left open [+-]\d/);
  assert.is(lines[3], 'gos zorn ros');
  assert.is(lines[4]!.indexOf('+▇'), lines[3]!.indexOf('zorn'));
  assert.ok(!output.includes('\u001b['));
  assert.ok(bertha(args, { FORCE_COLOR: '1' }).output.includes('\u001b[33mzorn'));
});

t('writes JSON with a version, whole, into a file', () => {
  const file = join(folder, 'why.json');
  const { code } = bertha(['gos zorn ros', '-m', golden('planted'), '--json', '--steps', '32', '--output', file]);
  const why = JSON.parse(readFileSync(file, 'utf8')) as { version: number; steps: number; attributions: { text: string; value: number }[] };
  assert.equal([code, why.version, why.steps, why.attributions.map(({ text }) => text)], [0, 1, 32, ['gos', 'zorn', 'ros']]);
});

t('shows similarity, attention, the lens and errors', () => {
  const two = bertha(['similarity', 'A cat sits.', 'A kitten rests.', '-m', golden('tiny/sentence-mean'), '--method', 'occlusion']);
  assert.match(two.output, /^Why is the cosine .*\n[^]*Pairs of tokens that add most/);
  const seen = bertha(['attention', 'gos zorn', '-m', golden('planted'), '--layers', '1', '--heads', '0', '--json']);
  const { weights, layers } = JSON.parse(seen.output) as { weights: { data: number[]; dims: number[] }[]; layers: number[] };
  assert.equal([layers, weights[0]!.dims, weights[0]!.data.length], [[1], [1, 4, 4], 16]);
  const lens = bertha(['lens', 'Water [MASK] at 100 degrees.', '-m', golden('tiny/bert-mlm'), '--top-k', '2']);
  assert.match(lens.output, /^mask at token 2: \S+\n {2}embeddings {2}/);
  const file = join(folder, 'rows.csv');
  writeFileSync(file, 'text,label\ngos zorn,1\nros zorn,LABEL_0\nduk rim,0\n');
  const errors = bertha(['errors', file, '-m', golden('planted')]);
  assert.match(errors.output, /^66\.7 % right\n[^]*LABEL_0, taken for\n {2}LABEL_1 [^]*ros zorn[^]*zorn {2}\+\d/);
});

t('ends with 2 and says why where it is used wrongly', () => {
  assert.match(bertha([]).problem, /USAGE: Expected a text for bertha explain/);
  for (const args of [
    [],
    ['a', '--steps', '1'],
    ['a', '--method', 'lime'],
    ['attention', 'a', '--layers', 'x'],
    ['a', '--pair', 'b', '--question', 'c'],
  ])
    assert.is(bertha(args).code, 2, args.join(' '));
});

t.run();
