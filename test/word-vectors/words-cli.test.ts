import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { cliProgram } from '../support/cli.js';
import { drawnCorpus } from '../support/drawn-corpus.js';
import { suite } from '../support/suite.js';

const t = suite('words on the command line');
const folder = mkdtempSync(join(tmpdir(), 'bertha-words-cli-'));
const file = (name: string): string => join(folder, name);
const golden = (name: string): string => fileURLToPath(new URL(`../golden-vectors/files/${name}`, import.meta.url));
const text = drawnCorpus(300)
  .map((words) => words.join(' '))
  .join('\n');

t.before(() => writeFileSync(file('corpus.txt'), text));
t.after(() => rmSync(folder, { recursive: true }));

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

function bertha(args: readonly string[], input = ''): Promise<Result> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [cliProgram, ...args], { env: { ...process.env, NO_COLOR: '1' } }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : Number(error.code), stdout, stderr }),
    );
    child.stdin!.end(input);
  });
}

async function output(args: readonly string[], input?: string): Promise<string> {
  const { code, stdout, stderr } = await bertha(args, input);
  assert.equal([code, stderr], [0, '']);
  return stdout;
}

t('word2vec, fasttext and glove learn from files and standard input, and write what vectors reads', async () => {
  const options = ['--vector-size', '12', '--min-count', '1', '--epochs', '3', '--threads', '1'];
  const trained = await Promise.all([
    output(['word2vec', file('corpus.txt'), '-o', file('words.vec'), '--vocabulary', file('vocab.txt'), ...options]),
    output(['word2vec', '-o', file('cbow.bin'), '--cbow', ...options], text),
    output(['word2vec', file('corpus.txt'), '-o', file('hs.safetensors'), '--hs', '--json', ...options]),
    output(['fasttext', file('corpus.txt'), '-o', file('parts.bin'), '--min-n', '2', '--bucket', '300', ...options]),
    output(['glove', file('corpus.txt'), '-o', file('glove.txt'), '--x-max', '10', ...options]),
  ]);
  assert.match(trained[0]!, /words\.vec: 40 words of 12 numbers, from 3000 words in 300 sentences/);
  assert.is((JSON.parse(trained[2]!) as { words: number }).words, 3000);
  assert.match(readFileSync(file('vocab.txt'), 'utf8'), /^[ab]\d+ \d+\n/);
  for (const name of ['words.vec', 'cbow.bin', 'hs.safetensors', 'parts.bin', 'glove.txt']) {
    assert.match(await output(['vectors', 'info', file(name)]), /^40 words of 12 numbers/);
  }
  assert.match(await output(['vectors', 'similar', file('parts.bin'), 'a1x', '-n', '2']), /similarity/);
});

t('similar, analogy, odd and similarity', async () => {
  const similar = await output(['vectors', 'similar', golden('gensim.vec'), 'king', '-n', '3']);
  assert.is(similar.trimEnd().split('\n').length, 4);
  const [first] = JSON.parse(await output(['vectors', 'analogy', golden('gensim.vec'), 'paris', 'france', 'rome', '--json'])) as {
    word: string;
  }[];
  assert.is(first!.word, 'italy');
  assert.match(await output(['vectors', 'odd', golden('gensim.vec'), 'king', 'queen', 'monday']), /^\S+\n$/);
  assert.match(await output(['vectors', 'similarity', golden('gensim.vec'), 'king', 'queen']), /^-?0\.\d{4}\n$/);
});

t('eval, convert and plot', async () => {
  const scores = await output([
    'vectors',
    'eval',
    golden('gensim.vec'),
    '--pairs',
    golden('pairs.tsv'),
    '--analogies',
    golden('analogies.txt'),
  ]);
  assert.match(scores, /Spearman 0\.\d+.*\n[^]*Total accuracy +30 +33 +90\.9/);
  await output(['vectors', 'convert', golden('gensim.vec'), file('small.safetensors'), '--quantize', 'int8']);
  assert.match(await output(['vectors', 'similar', file('small.safetensors'), 'king']), /similarity/);
  writeFileSync(file('list.txt'), 'king\nqueen\nman\nwoman\n');
  for (const name of ['map.svg', 'map.html']) {
    await output(['vectors', 'plot', golden('gensim.vec'), '--words', file('list.txt'), '-o', file(name)]);
    assert.match(readFileSync(file(name), 'utf8'), />queen</);
  }
});

t('an interrupt ends a training with 130, in any phase, and leaves no file', async () => {
  const directory = file('interrupted');
  mkdirSync(directory);
  for (const [name, args] of Object.entries({
    word2vec: [file('corpus.txt'), '--epochs', '1000000'],
    fasttext: [file('corpus.txt'), '--epochs', '1000000', '--bucket', '100'],
    glove: [file('corpus.txt'), '--epochs', '1000000'],
    // Waits for standard input.
    'word2vec --cbow': [],
  })) {
    const own = [...name.split(' '), ...args, '-o', join(directory, 'never.vec'), '--min-count', '1', '--directory', directory];
    const child = spawn(process.execPath, [cliProgram, ...own], { stdio: ['pipe', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const hasEnded = new Promise((resolve) => child.on('close', (code, signal) => resolve([code, signal])));
    await isTraining(child.pid!);
    child.kill('SIGINT');
    assert.equal([name, await hasEnded, stderr], [name, [130, null], '']);
    assert.equal(readdirSync(directory), []);
  }
});

/** Resolves once a process has the temporary file of a training open. */
async function isTraining(pid: number): Promise<void> {
  const hasOpen = (): boolean => {
    try {
      return readdirSync(`/proc/${pid}/fd`).some((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`).includes('bertha-words-'));
    } catch {
      return false;
    }
  };
  for (let i = 0; i < 1000 && !hasOpen(); i++) await new Promise((resolve) => setTimeout(resolve, 20));
  await new Promise((resolve) => setTimeout(resolve, 50));
}

t('faults end with their codes, and leave no file', async () => {
  for (const [args, code, says] of [
    [['vectors', 'similar', golden('gensim.vec'), 'kingg'], 1, /UNKNOWN_WORD.*"king"/],
    [['vectors', 'info', golden('row-short.vec')], 1, /VECTORS_FORMAT.*line 3/],
    [['vectors', 'info', file('missing.vec')], 1, /IO/],
    [['vectors', 'eval', golden('gensim.vec')], 2, /--pairs or --analogies/],
    [['vectors', 'plot', golden('gensim.vec'), '-o', file('map.png')], 2, /\.svg or \.html/],
    [['word2vec', file('missing.txt'), '-o', file('no.vec')], 1, /IO.*missing\.txt/],
    [['word2vec', file('corpus.txt'), '-o', file('no.vec'), '--min-count', '100000'], 1, /EMPTY_INPUT/],
    [['word2vec', file('corpus.txt'), '-o', file('no.vec'), '--hs', '--negative', '5'], 2, /hierarchical/],
    [['word2vec', file('corpus.txt')], 2, /--output/],
    [['fasttext', file('corpus.txt'), '-o', file('no.bin'), '--alpha', 'x'], 2, /number/],
  ] as const) {
    const result = await bertha(args);
    assert.equal([args.join(' '), result.code, result.stdout], [args.join(' '), code, '']);
    assert.match(result.stderr, says);
  }
  assert.not.ok(existsSync(file('no.vec')));
});

t.run();
