import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { cliProgram } from '../support/cli.js';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { golden } from '../support/checkpoint-files.js';
import { fillMasks, loadModel, pseudoLogLikelihood } from '../../src/index.js';

const t = suite('cli of tasks');
const folder = mkdtempSync(path.join(tmpdir(), 'bertha-cli-tasks-'));
t.after(() => rmSync(folder, { recursive: true }));

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function bertha(args: readonly string[], input = '', environment: Record<string, string> = { NO_COLOR: '1' }): Promise<Result> {
  const child = spawn(process.execPath, [cliProgram, ...args], { env: { ...process.env, ...environment } });
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

/** Runs a task on a tiny model; it must succeed. Its JSON lines, or with `table` its text. */
async function lines<T>(name: string | undefined, args: readonly string[], input?: string): Promise<T[]> {
  const model = name === undefined ? [] : ['--model', golden('tiny', name)];
  const { code, stdout, stderr } = await bertha([...args, ...model, '--format', 'jsonl'], input);
  assert.equal([code, stderr], [0, '']);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as T);
}

t('fill-mask writes the candidates of every mask', async () => {
  const found = await lines<{ index: number; masks: { candidates: object[] }[] }>('bert-mlm', [
    'fill-mask',
    'It [MASK].',
    '[MASK] is [MASK]',
    '--top-k',
    '2',
  ]);
  assert.equal(
    found.map(({ masks }) => masks.map(({ candidates }) => candidates.length)),
    [[2], [2, 2]],
  );
  assert.equal(
    found.map(({ index }) => index),
    [0, 1],
  );
});

t('fill-mask --method fills masks together, and score tells how likely texts are', async () => {
  const text = 'It [MASK] [MASK].';
  const model = await loadModel(golden('tiny/bert-mlm'));
  const [rounds, drawn] = [await fillMasks(model, text, { iterations: 3 }), await fillMasks(model, text, { method: 'gibbs', seed: 7 })];
  const { logLikelihood } = await pseudoLogLikelihood(model, 'It rained.');
  model.dispose();
  const [first] = await lines<{ text: string; filled: string; words: string[] }>('bert-mlm', ['fill-mask', text, '--iterations', '3']);
  assert.equal([first!.text, first!.filled, first!.words], [text, rounds.text, rounds.words]);
  const [second] = await lines<{ filled: string; seed: number }>('bert-mlm', ['fill-mask', text, '--method', 'gibbs', '--seed', '7']);
  assert.equal([second!.filled, second!.seed], [drawn.text, 7]);
  const [scored] = await lines<{ logLikelihood: number; scores: object[] }>('bert-mlm', ['score', 'It rained.']);
  assert.equal([scored!.logLikelihood, scored!.scores.length > 1], [logLikelihood, true]);
  const wrong = await bertha(['fill-mask', text, '--method', 'gibbs', '--iterations', '3', '--model', golden('tiny/bert-mlm')]);
  assert.equal([wrong.code, /mask-predict/.test(wrong.stderr)], [2, true]);
});

t('classify reads lines from standard input', async () => {
  const found = await lines<{ text: string; labels: object[] }>('bert-nli', ['classify', '-', '--pair', 'It rains.'], 'One.\nTwo.\n');
  assert.equal(
    found.map(({ text, labels }) => [text, labels.length]),
    [
      ['One.', 3],
      ['Two.', 3],
    ],
  );
});

t('zero-shot needs labels', async () => {
  const [found] = await lines<{ labels: string[] }>('bert-nli', ['zero-shot', 'It rains.', '--labels', 'weather, sports']);
  assert.equal([...found!.labels].sort(), ['sports', 'weather']);
  assert.is((await bertha(['zero-shot', 'x', '--model', golden('tiny/bert-nli')])).code, 2);
});

t('ner marks entities in the text, in colour where colours are wanted', async () => {
  const args = ['ner', 'Alice 😀 lives in London.', '--model', golden('tiny/bert-token-classification')];
  const { stdout } = await bertha(args);
  assert.is(stdout.replace(/\[(PER|LOC|ORG)\]/g, ''), 'Alice 😀 lives in London.\n');
  assert.match(stdout, /\[(PER|LOC|ORG)\]/);
  const coloured = await bertha(args, '', { FORCE_COLOR: '1', NO_COLOR: '' });
  assert.match(coloured.stdout, '\u001b[36m');
});

t('qa answers from a whole file', async () => {
  const file = path.join(folder, 'context.txt');
  writeFileSync(file, 'Alice met Bob.\nThey work in Amsterdam.\n');
  const found = await lines<{ question: string; text: string; answers: { answer: string; start: number; end: number }[] }>(
    'bert-question-answering',
    ['qa', 'Who met Bob?', '--file', file, '--whole', '--top-k', '2'],
  );
  assert.is(found.length, 1);
  assert.is(found[0]!.answers.length, 2);
  for (const { answer, start, end } of found[0]!.answers) assert.is(answer, found[0]!.text.slice(start, end));
});

t('nsp takes two sentences, or lines with a tab', async () => {
  const [two] = await lines<{ isNext: number }>('bert-nsp', ['nsp', 'It rained.', 'She got wet.']);
  const found = await lines<{ isNext: number }>('bert-nsp', ['nsp', '-'], 'It rained.\tShe got wet.\nA.\tB.\n');
  assert.equal([found[0]!.isNext, found.length], [two!.isNext, 2]);
  assert.is((await bertha(['nsp', '-', '--model', golden('tiny/bert-nsp')], 'no tab\n')).code, 2);
});

t('similarity and rerank sort, the best first', async () => {
  const similar = await lines<{ index: number; score: number }>(undefined, ['similarity', 'A cat.', 'Stocks fell.', 'A kitten.']);
  assert.equal(
    similar.map(({ index }) => index),
    [1, 0],
  );
  const ranked = await lines<{ score: number }>('bert-cross-encoder', ['rerank', 'Where?', 'Here.', 'There.', 'Nowhere.', '--top-k', '2']);
  assert.is(ranked.length, 2);
  assert.ok(ranked[0]!.score >= ranked[1]!.score);
});

t('chunk writes pieces to a file', async () => {
  const output = path.join(folder, 'chunks.jsonl');
  const { code } = await bertha(
    ['chunk', '-', '--whole', '--max-tokens', '6', '--overlap', '1', '--format', 'jsonl', '--output', output],
    'a b c d\ne f g h\n',
  );
  assert.is(code, 0);
  const chunks = readFileSync(output, 'utf8')
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line) as { index: number; text: string });
  assert.equal(
    chunks.map(({ text }) => text),
    ['a b c d', 'd\ne f g', 'g h'],
  );
});

t('tables fit the terminal', async () => {
  const long = 'word '.repeat(60);
  const { stdout } = await bertha(['classify', long, '--model', golden('tiny/bert-nli')]);
  for (const line of stdout.split('\n')) assert.ok(line.length <= 100, line);
});

t('says which model is needed when there is no head', async () => {
  const { code, stderr } = await bertha(['zero-shot', 'It rains.', '--labels', 'weather,sports']);
  assert.equal([code, /NO_HEAD.*BertForSequenceClassification/.test(stderr)], [1, true]);
});

t('classifies by the bundled head without a model', async () => {
  const { stdout } = await bertha(['classify', 'A moving, funny film.', '--format', 'jsonl']);
  const { labels } = JSON.parse(stdout) as { labels: { label: string }[] };
  assert.equal(
    labels.map(({ label }) => label),
    ['positive', 'negative'],
  );
});

t.run();
