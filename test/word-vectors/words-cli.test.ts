import { execFile, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { cliProgram, runCommands } from '../support/cli.js';
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

async function outputs(...commands: readonly (readonly string[])[]): Promise<string[]> {
  const outcomes = await runCommands(commands);
  for (const [i, { code, stderr }] of outcomes.entries()) assert.equal([commands[i], code, stderr], [commands[i], 0, '']);
  return outcomes.map(({ stdout }) => stdout);
}

/** A command in a process of its own, with a text on its standard input. */
function outputOf(args: readonly string[], input: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(process.execPath, [cliProgram, ...args], { env: { ...process.env, NO_COLOR: '1' } }, (error, stdout, stderr) =>
      error === null && stderr === '' ? resolve(stdout) : reject(new Error(`${String(error)}: ${stderr}`)),
    );
    child.stdin!.end(input);
  });
}

t('word2vec, fasttext and glove learn from files and standard input, and write what vectors reads', async () => {
  const options = ['--vector-size', '12', '--min-count', '1', '--epochs', '3', '--threads', '1'];
  const files = ['words.vec', 'cbow.bin', 'hs.safetensors', 'parts.bin', 'glove.txt'].map(file);
  await outputOf(['word2vec', '-o', files[1]!, '--cbow', ...options], text);
  const [trained, , described] = await outputs(
    ['word2vec', file('corpus.txt'), '-o', files[0]!, '--vocabulary', file('vocab.txt'), ...options],
    ['fasttext', file('corpus.txt'), '-o', files[3]!, '--min-n', '2', '--bucket', '300', ...options],
    ['word2vec', file('corpus.txt'), '-o', files[2]!, '--hs', '--json', ...options],
    ['glove', file('corpus.txt'), '-o', files[4]!, '--x-max', '10', ...options],
  );
  assert.match(trained!, /words\.vec: 40 words of 12 numbers, from 3000 words in 300 sentences/);
  assert.is((JSON.parse(described!) as { words: number }).words, 3000);
  assert.match(readFileSync(file('vocab.txt'), 'utf8'), /^[ab]\d+ \d+\n/);
  const [similar, ...infos] = await outputs(
    ['vectors', 'similar', file('parts.bin'), 'a1x', '-n', '2'],
    ...files.map((name) => ['vectors', 'info', name]),
  );
  for (const info of infos) assert.match(info, /^40 words of 12 numbers/);
  assert.match(similar!, /similarity/);
});

t('similar, analogy, odd and similarity', async () => {
  const [similar, analogy, odd, similarity] = await outputs(
    ['vectors', 'similar', golden('gensim.vec'), 'king', '-n', '3'],
    ['vectors', 'analogy', golden('gensim.vec'), 'paris', 'france', 'rome', '--json'],
    ['vectors', 'odd', golden('gensim.vec'), 'king', 'queen', 'monday'],
    ['vectors', 'similarity', golden('gensim.vec'), 'king', 'queen'],
  );
  assert.is(similar!.trimEnd().split('\n').length, 4);
  const [first] = JSON.parse(analogy!) as { word: string }[];
  assert.is(first!.word, 'italy');
  assert.match(odd!, /^\S+\n$/);
  assert.match(similarity!, /^-?0\.\d{4}\n$/);
});

t('eval, convert and plot', async () => {
  writeFileSync(file('list.txt'), 'king\nqueen\nman\nwoman\n');
  const maps = ['map.svg', 'map.html'].map(file);
  const [scores, , similar] = await outputs(
    ['vectors', 'eval', golden('gensim.vec'), '--pairs', golden('pairs.tsv'), '--analogies', golden('analogies.txt')],
    ['vectors', 'convert', golden('gensim.vec'), file('small.safetensors'), '--quantize', 'int8'],
    ['vectors', 'similar', file('small.safetensors'), 'king'],
    ...maps.map((map) => ['vectors', 'plot', golden('gensim.vec'), '--words', file('list.txt'), '-o', map]),
  );
  assert.match(scores!, /Spearman 0\.\d+.*\n[^]*Total accuracy +30 +33 +90\.9/);
  assert.match(similar!, /similarity/);
  for (const map of maps) assert.match(readFileSync(map, 'utf8'), />queen</);
});

t('an interrupt ends a training with 130, in any phase, and leaves no file', async () => {
  const directory = file('interrupted');
  mkdirSync(directory);
  const interrupted = Object.entries({
    word2vec: [file('corpus.txt'), '--epochs', '1000000'],
    fasttext: [file('corpus.txt'), '--epochs', '1000000', '--bucket', '100'],
    glove: [file('corpus.txt'), '--epochs', '1000000'],
    // Waits for standard input.
    'word2vec --cbow': [],
  }).map(async ([name, args]) => {
    const own = [...name.split(' '), ...args, '-o', join(directory, 'never.vec'), '--min-count', '1', '--directory', directory];
    const child = spawn(process.execPath, [cliProgram, ...own], { stdio: ['pipe', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const hasEnded = new Promise((resolve) => child.on('close', (code, signal) => resolve([code, signal])));
    await isTraining(child.pid!);
    child.kill('SIGINT');
    assert.equal([name, await hasEnded, stderr], [name, [130, null], '']);
  });
  await Promise.all(interrupted);
  assert.equal(readdirSync(directory), []);
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
  const faults = [
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
  ] as const;
  for (const [i, { code, stdout, stderr }] of (await runCommands(faults.map(([args]) => args))).entries()) {
    const [args, wanted, says] = faults[i]!;
    assert.equal([args.join(' '), code, stdout], [args.join(' '), wanted, '']);
    assert.match(stderr, says);
  }
  assert.not.ok(existsSync(file('no.vec')));
});

t.run();
