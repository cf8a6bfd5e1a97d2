import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { runCommands } from '../support/cli.js';
import { suite } from '../support/suite.js';

const t = suite('bertha explain');
const folder = mkdtempSync(join(tmpdir(), 'bertha-explain-'));
t.after(() => rmSync(folder, { recursive: true, force: true }));
const golden = (name: string): string => fileURLToPath(new URL(`../golden-explain/${name}`, import.meta.url));

interface Outcome {
  readonly code: number;
  readonly output: string;
  readonly problem: string;
}

/** Commands of `bertha explain`, and others by their names, in one process. */
async function berthas(commands: readonly (readonly string[])[], env?: Readonly<Record<string, string>>): Promise<Outcome[]> {
  const whole = commands.map((args) => (['map', 'explain'].includes(args[0]!) ? args : ['explain', ...args]));
  return (await runCommands(whole, env)).map(({ code, stdout, stderr }) => ({ code, output: stdout, problem: stderr }));
}

t('puts sign and size under each word, so that it reads without colours, and colours where they are wanted', async () => {
  const args = ['gos zorn ros', '--model', golden('planted'), '--method', 'occlusion'];
  const [{ code, output }, chinese] = (await berthas([args, [...args, '--language', 'zh']])) as [Outcome, Outcome];
  assert.is(code, 0);
  const lines = output.split('\n');
  assert.is(lines[0], 'Why LABEL_1?');
  assert.match(lines[1]!, /^Model: planted; Method: occlusion; Baseline: pad; Score: .*; Left open: [+−]\d/);
  assert.is(lines[3], 'gos zorn ros');
  assert.is(lines[4]!.indexOf('+▇'), lines[3]!.indexOf('zorn'));
  assert.ok(!output.includes('\u001b['));
  assert.ok((await berthas([args], { FORCE_COLOR: '1' }))[0]!.output.includes('\u001b[33mzorn'));
  assert.ok((await berthas([args], { FORCE_COLOR: '3' }))[0]!.output.includes('\u001b[38;2;224;123;41mzorn'));
  assert.match(chinese.output, /^为什么是“LABEL_1”？\n模型: planted/);
});

t('writes JSON with a version, whole, into a file', async () => {
  const file = join(folder, 'why.json');
  const [outcome] = await berthas([['gos zorn ros', '-m', golden('planted'), '--json', '--steps', '32', '--output', file]]);
  const why = JSON.parse(readFileSync(file, 'utf8')) as { version: number; steps: number; attributions: { text: string; value: number }[] };
  assert.equal([outcome!.code, why.version, why.steps, why.attributions.map(({ text }) => text)], [0, 1, 32, ['gos', 'zorn', 'ros']]);
});

t('shows similarity, attention, the lens and errors', async () => {
  const file = join(folder, 'rows.csv');
  writeFileSync(file, 'text,label\ngos zorn,1\nros zorn,LABEL_0\nduk rim,0\n');
  const [two, seen, norms, lens, errors, tokens] = await berthas([
    ['similarity', 'A cat sits.', 'A kitten rests.', '-m', golden('tiny/sentence-mean'), '--method', 'occlusion'],
    ['attention', 'gos zorn', '-m', golden('planted'), '--layers', '1', '--heads', '0', '--json'],
    ['attention', 'gos zorn', '-m', golden('planted'), '--layers', '1', '--weights', 'norm', '--json'],
    ['lens', 'Water [MASK] at 100 degrees.', '-m', golden('tiny/bert-mlm'), '--top-k', '2'],
    ['errors', file, '-m', golden('planted')],
    ['tokens', 'gos zorn', '-m', golden('planted')],
  ]);
  assert.match(two!.output, /^Why are these two texts \d+ % similar\?\n[^]*Strongest pairs/);
  const { weights, layers } = JSON.parse(seen!.output) as { weights: { data: number[]; dims: number[] }[]; layers: number[] };
  assert.equal([layers, weights[0]!.dims, weights[0]!.data.length], [[1], [1, 4, 4], 16]);
  assert.is((JSON.parse(norms!.output) as { kind: string }).kind, 'norm');
  assert.match(lens!.output, /\nMask at token 2: \S+\n {2}embeddings {2}/);
  assert.match(errors!.output, /Accuracy: 66\.7 %\n[^]*LABEL_0 → LABEL_1 {2}\d+\.\d % {2}ros zorn\n[^]*zorn +\+\d/);
  assert.match(tokens!.output, /\[CLS\][^]*gos[^]*zorn[^]*\[SEP\]/);
});

t('writes pages and pictures, by flags or by the name of the file; bertha map is explain map', async () => {
  const files = ['why.html', 'why.svg', 'map.html'].map((name) => join(folder, name));
  const args = [
    'gos zorn ros',
    '-m',
    golden('planted'),
    '--steps',
    '16',
    '--check',
    '--html',
    files[0]!,
    '--svg',
    files[1]!,
    '--language',
    'en',
  ];
  const texts = join(folder, 'texts.txt');
  writeFileSync(texts, 'A cat sits.\nA kitten rests.\n\nBread and soup.\n  \nTennis.\n');
  const mapping = ['map', '--file', texts, '-m', golden('tiny/sentence-mean'), '--clusters', '2'];
  const umap = ['--method', 'umap', '--seed', '3'];
  const [why, map, listed, drawn, below, wrong, unknown] = await berthas([
    args,
    [...mapping, '--output', files[2]!],
    mapping,
    [...mapping, ...umap],
    ['explain', ...mapping, ...umap],
    ['gos zorn', '-m', golden('planted'), '--method', 'umap'],
    ['gos zorn', '-m', golden('planted'), '--method', 'lime'],
  ]);
  assert.equal([why!.code, why!.output], [0, '']);
  const page = readFileSync(files[0]!, 'utf8');
  assert.match(page, /^<!doctype html>[^]*<title>Why LABEL_1\? · Attribution<\/title>/);
  assert.match(page, '"faithfulness":{"shares":');
  assert.match(page, '"check":{"correlation":');
  assert.match(readFileSync(files[1]!, 'utf8'), /^<svg /);
  assert.is(map!.code, 0, map!.problem);
  assert.match(readFileSync(files[2]!, 'utf8'), '"kind":"map"');
  assert.match(listed!.output, /^[^\n]*\nTexts: 4;[^]*\ncluster 0 \(\d\)/);
  assert.match(listed!.problem, '2 of 6 texts are blank: they are left out.');
  assert.match(drawn!.output, /; Method: UMAP; Seed: 3\n[^]*cluster 0 \(\d\)/);
  assert.equal([below!.code, below!.output], [0, drawn!.output]);
  assert.equal([wrong!.code, unknown!.code], [2, 2]);
  assert.match(wrong!.problem, 'INVALID_OPTION');
  assert.match(unknown!.problem, /Allowed choices are integrated-gradients.*shapley\./);
});

t('writes all heads beside a page and JSON without them, the rollout, and the curves of runs', async () => {
  const [page, heads] = ['heads.html', 'heads.bin'].map((name) => join(folder, name)) as [string, string];
  const run = join(folder, 'run');
  mkdirSync(run);
  writeFileSync(join(run, 'log.jsonl'), '{"step":10,"loss":0.5}\n{"step":20,"loss":0.25}\n');
  const model = ['-m', golden('planted')];
  const [both, rolled, listed, curves, none] = (await berthas([
    ['attention', 'gos zorn', ...model, '--json', '--html', page, '--attention-file', heads],
    ['rollout', 'gos zorn', ...model, '--residual', '0.25', '--reduce', 'max', '--json'],
    ['rollout', 'gos zorn', '--pair', 'ros', ...model],
    ['training', run, '--language', 'en'],
    ['training', folder],
  ])) as [Outcome, Outcome, Outcome, Outcome, Outcome];
  assert.equal([both.code, (JSON.parse(both.output) as { weights: unknown[] }).weights], [0, []]);
  assert.match(readFileSync(page, 'utf8'), '"whole":"');
  assert.is(readFileSync(heads).subarray(0, 8).toString(), 'bertha-a');
  const { rollout } = JSON.parse(rolled.output) as { rollout: { data: number[]; residual: number; reduce: string } };
  assert.equal([rollout.data.length, rollout.residual, rollout.reduce], [16, 0.25, 'max']);
  assert.match(
    listed.output,
    /^What of each token reaches the last layer\?\nModel: planted; Tokens: 6; Residual: 0\.5; Of the heads: Mean\n\nRollout\n {2}\[CLS\]  /,
  );
  assert.match(curves.output, /train\/loss\n {2}Run +Step +First +Last +Least +Largest\n {2}run +20 +0\.5 +0\.25 +0\.25 +0\.5\n/);
  assert.match(none.problem, /INVALID_ARG/);
});

t('ends with 2 and says why where it is used wrongly', async () => {
  const wrong = [
    [],
    ['a', '--steps', '1'],
    ['a', '--method', 'lime'],
    ['attention', 'a', '--layers', 'x'],
    ['a', '--pair', 'b', '--question', 'c'],
    ['a', '--html', 'same.html', '--output', 'same.html'],
    ['a', '--language', 'fr'],
    ['attention', 'a', '--html', 'same.html', '--attention-file', 'same.html'],
    ['rollout', 'a', '--residual', 'x'],
    ['training'],
  ];
  const refusals = await berthas(wrong);
  assert.match(refusals[0]!.problem, /USAGE: Expected a text for bertha explain/);
  refusals.forEach(({ code }, i) => assert.is(code, 2, wrong[i]!.join(' ')));
});

t.run();
