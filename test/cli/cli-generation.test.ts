import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { generate, loadModel, translate } from '../../src/index.js';
import { cliProgram } from '../support/cli.js';
import { suite } from '../support/suite.js';

const t = suite('cli of generation');
const [marian, causal] = ['marian-separate', 'bertgen-lm'].map((name) =>
  fileURLToPath(new URL(`../golden-generation/tiny/${name}`, import.meta.url)),
) as [string, string];

interface Result {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function bertha(args: readonly string[], input = ''): Promise<Result> {
  const child = spawn(process.execPath, [cliProgram, ...args], { env: { ...process.env, NO_COLOR: '1' } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  child.stdin.end(input);
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, stdout, stderr })));
}

const texts = ['The house is small.', 'Where is the station?'];

t('translate writes a line for each line, as the library translates', async () => {
  using model = await loadModel(marian);
  const expected = await translate(model, texts, { numBeams: 3, maxNewTokens: 12 });
  const flags = ['--model', marian, '--beams', '3', '--max-new-tokens', '12'];
  const lines = await bertha(['translate', '-', ...flags, '--format', 'text'], `${texts.join('\n')}\n`);
  assert.equal([lines.code, lines.stderr], [0, '']);
  assert.is(lines.stdout, expected.map(({ text }) => `${text.replace(/\s*[\n\r]\s*/g, ' ')}\n`).join(''));
  const records = await bertha(['translate', ...texts, ...flags, '--format', 'jsonl']);
  const found = records.stdout.trimEnd().split('\n');
  found.forEach((line, i) => {
    const { translation, sentences } = JSON.parse(line) as { translation: string; sentences: unknown };
    assert.equal([translation, sentences], [expected[i]!.text, JSON.parse(JSON.stringify(expected[i]!.sentences))]);
  });
  assert.is(found.length, texts.length);
});

t('generate draws the same text for a seed, several texts for --return, and streams the one it would write', async () => {
  using model = await loadModel(causal);
  const [first, second] = await generate(model, 'The house', {
    doSample: true,
    topP: 0.9,
    topK: 20,
    seed: 7,
    numReturnSequences: 2,
    maxNewTokens: 9,
  });
  const flags = ['The house', '--model', causal, '--sample', '--top-p', '0.9', '-k', '20', '--seed', '7', '--max-new-tokens', '9'];
  const { stdout } = await bertha(['generate', ...flags, '--return', '2', '--format', 'jsonl']);
  const { generated } = JSON.parse(stdout) as { generated: { text: string; seed: number; score: number }[] };
  assert.equal(
    generated.map(({ text, seed, score }) => [text, seed, score]),
    [first!, second!].map(({ text, score }) => [text, 7, score]),
  );
  const streamed = await bertha(['generate', ...flags, '--stream', '--format', 'text']);
  assert.equal([streamed.code, streamed.stdout], [0, `${first!.text}\n`]);
});

t('what cannot be is refused with the reason', async () => {
  const cases: [string[], number, RegExp][] = [
    [['translate', 'a', '--model', marian, '--beams', '0'], 2, /--beams.*Expected a whole number from 1/],
    [['translate', 'a', '--model', marian, '--to', 'fr'], 2, /INVALID_OPTION/],
    [['generate', 'a', '--model', causal, '--top-p', '2', '--sample'], 2, /INVALID_OPTION.*at most 1.*2/],
    [['generate', 'a', '--model', causal, '--stream', '--format', 'jsonl'], 2, /INVALID_OPTION.*--stream/],
    [['summarize', 'a'], 1, /NO_HEAD/],
  ];
  const found = await Promise.all(cases.map(([args]) => bertha(args)));
  found.forEach(({ code, stderr }, i) => {
    assert.match(stderr, cases[i]![2]);
    assert.is(code, cases[i]![1], stderr);
  });
});

t.run();
