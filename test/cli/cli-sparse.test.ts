// Sparse vectors and vectors of tokens at the command line.
import { execFile } from 'node:child_process';
import * as assert from 'uvu/assert';
import { loadEmbedder } from '../../src/index.js';
import { golden } from '../support/checkpoint-files.js';
import { cliProgram } from '../support/cli.js';
import { suite } from '../support/suite.js';

const test = suite('embed --sparse and --tokens');
const splade = golden('sparse/splade-router');
const colbert = golden('multivector/colbert');
const texts = ['a cat', 'water'];

const bertha = (args: readonly string[]): Promise<{ code: number; stdout: string; stderr: string }> =>
  new Promise((resolve) => {
    execFile(process.execPath, [cliProgram, ...args], (error, stdout, stderr) => resolve({ code: error === null ? 0 : 1, stdout, stderr }));
  });

const linesOf = (stdout: string): Record<string, unknown>[] =>
  stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);

test('writes the weights of words, of queries too', async () => {
  using embedder = await loadEmbedder(splade);
  for (const as of ['query', 'document'] as const) {
    const { stdout } = await bertha(['embed', ...texts, '--model', splade, '--sparse', '--format', 'jsonl', '--as', as]);
    const expected = await embedder.embedSparse(texts, { as });
    linesOf(stdout).forEach(({ text, indices, values, tokens }, i) => {
      assert.equal([text, indices, tokens], [texts[i], Array.from(expected[i]!.indices), expected[i]!.tokens]);
      assert.equal(Float32Array.from(values as number[]), expected[i]!.values);
    });
  }
});

test('writes a vector for each token', async () => {
  using embedder = await loadEmbedder(colbert);
  const { stdout } = await bertha(['embed', ...texts, '--model', colbert, '--tokens', '--format', 'jsonl', '--as', 'query']);
  const expected = await embedder.embedTokens(texts, { as: 'query' });
  linesOf(stdout).forEach(({ embeddings }, i) => {
    const rows = embeddings as number[][];
    assert.is(rows.length, expected[i]!.dims[0]);
    assert.equal(Float32Array.from(rows.flat()), expected[i]!.data);
  });
});

test('refuses what such vectors do not have, and another model', async () => {
  for (const [flags, expected] of [
    [['--sparse'], /--format jsonl/],
    [['--sparse', '--tokens', '--format', 'jsonl'], /both/],
    [['--tokens', '--format', 'jsonl', '--dimensions', '3'], /--dimensions/],
    [['--tokens', '--format', 'jsonl'], /POOLING/],
  ] as const) {
    const { code, stderr } = await bertha(['embed', 'a', '--model', splade, ...flags]);
    assert.is.not(code, 0);
    assert.match(stderr, expected);
  }
});

test.run();
