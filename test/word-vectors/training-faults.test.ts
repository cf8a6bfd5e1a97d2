import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import { drawnCorpus } from '../support/drawn-corpus.js';
import { Random } from '../support/random.js';
import type { BerthaError } from '../../src/errors.js';
import { type Corpus, trainFastText, trainGloVe, trainWord2Vec, type Word2VecOptions } from '../../src/word-vectors/index.js';

const t = suite('faults of training word vectors');
const folder = mkdtempSync(join(tmpdir(), 'bertha-words-faults-'));
const small = { vectorSize: 8, minCount: 1, epochs: 1, threads: 1 };

t.after(() => rmSync(folder, { recursive: true }));

async function errorOf(work: Promise<unknown> | (() => Promise<unknown>)): Promise<BerthaError> {
  try {
    await (typeof work === 'function' ? work() : work);
  } catch (error) {
    return error as BerthaError;
  }
  throw new Error('no error');
}

t('an empty corpus, and one without a word that is frequent enough', async () => {
  for (const corpus of [[], [[]], ['  \n']]) assert.is((await errorOf(trainWord2Vec(corpus, small))).code, 'EMPTY_INPUT');
  const rare = await errorOf(trainWord2Vec([['seldom', 'rare', 'seldom']], { minCount: 5 }));
  assert.is(rare.code, 'EMPTY_INPUT');
  assert.match(rare.message, /3 words.*most frequent 2 times: seldom/);
});

t('one word only, and fewer words than negatives, work and are warned of', async () => {
  for (const train of [trainWord2Vec, trainFastText] as const) {
    const { vectors, report } = await train([['word', 'word', 'word']], { ...small, ...(train === trainFastText ? { bucket: 10 } : {}) });
    assert.is(vectors.size, 1);
    assert.match(report.warnings.join(), /negative samples/);
    assert.ok(vectors.get('word')!.every(Number.isFinite));
  }
  assert.is((await trainWord2Vec([['word', 'word']], { ...small, hs: true })).vectors.size, 1);
  assert.is((await trainGloVe([['word', 'word']], small)).vectors.size, 1);
});

t('a path that is missing, unreadable or a directory is named, and nothing is left', async () => {
  const directory = mkdtempSync(join(folder, 'left-'));
  const good = join(folder, 'good.txt');
  writeFileSync(good, 'a b c\n');
  const sealed = join(folder, 'sealed.txt');
  writeFileSync(sealed, 'a b\n');
  chmodSync(sealed, 0);
  const inside = join(folder, 'folder');
  mkdirSync(inside);
  const paths = [join(folder, 'missing.txt'), inside, ...(process.getuid?.() === 0 ? [] : [sealed])];
  for (const path of paths) {
    for (const corpus of [path, [good, path]]) {
      const error = await errorOf(trainWord2Vec(corpus, { ...small, directory }));
      assert.is(error.code, 'IO');
      assert.ok(error.message.includes(path), error.message);
    }
    assert.is((await errorOf(trainWord2Vec(path, { ...small, directory, tokenizer: (text) => text.split(' ') }))).code, 'IO');
  }
  assert.equal(readdirSync(directory), []);
});

t('a file that changes while it is read is IO with its name, and nothing is left', async () => {
  const directory = mkdtempSync(join(folder, 'changed-'));
  const text = Buffer.from('one two three four five six seven\n'.repeat(100_000));
  const plain = join(folder, 'changing.txt');
  const packed = join(folder, 'changing.txt.gz');
  const random = new Random(3);
  writeFileSync(plain, text);
  writeFileSync(packed, gzipSync(Buffer.from(Array.from({ length: 60_000 }, () => `w${random.integer(0, 1e9)}`).join('\n')), { level: 1 }));
  let seconds = 1e9;
  const touch = (path: string): void => utimesSync(path, seconds, seconds++);
  const split = (path: string) => {
    let lines = 0;
    return { tokenizer: (line: string) => (lines++ === 0 && touch(path), line.split(' ')) };
  };
  const trainings: readonly (readonly [string, () => Promise<unknown>])[] = [
    [plain, () => trainWord2Vec(plain, { ...small, directory })],
    [plain, () => trainGloVe([packed, plain], { ...small, directory })],
    [packed, () => trainWord2Vec(packed, { ...small, directory })],
    [plain, () => trainWord2Vec(plain, { ...small, ...split(plain), directory })],
    [packed, () => trainFastText(packed, { ...small, ...split(packed), bucket: 10, directory })],
  ];
  for (const [path, train] of trainings) {
    const timer = setInterval(() => touch(path), 1);
    const error = await errorOf(train).finally(() => clearInterval(timer));
    assert.is(error.code, 'IO', error.message);
    assert.ok(error.message.includes(path) && error.message.includes('changed'), error.message);
  }
  assert.equal(readdirSync(directory), []);
});

t('a line without an end is read in pieces, in little memory', async () => {
  const isFull = process.env['BERTHA_TEST_FULL'] === '1';
  const line = join(folder, 'gigabyte.txt');
  writeFileSync(line, '');
  truncateSync(line, 1 << 30);
  const before = process.memoryUsage.rss();
  let most = before;
  const timer = setInterval(() => (most = Math.max(most, process.memoryUsage.rss())), 5);
  const { report } = await trainWord2Vec(line, small);
  assert.equal([report.words, report.cutWords, report.repairedWords], [1, 1, 1]);
  // A tokenizer gets a million characters at most, cut between words.
  const words = Buffer.from(`${'word '.repeat((1 << 20) / 8)}word`.repeat(isFull ? 1500 : 60));
  writeFileSync(line, words);
  const lengths: number[] = [];
  const pieces = await trainWord2Vec(line, {
    ...small,
    tokenizer: (text) => {
      lengths.push(text.length);
      assert.ok(/^[word ]+$/.test(text.slice(0, 50)) && text.startsWith('word') && /word ?$/.test(text));
      return text.split(' ', 3);
    },
  });
  clearInterval(timer);
  assert.ok(lengths.length > words.length / 2 ** 20 && Math.max(...lengths) <= 2 ** 20 && pieces.report.sentences === lengths.length);
  assert.is(
    lengths.reduce((a, b) => a + b, 0),
    words.length,
  );
  assert.ok(most - before < 3 * words.length + 200e6, `${most - before} bytes more`);
});

t('an abort ends the waiting for a stream that says nothing more', async () => {
  const abort = new AbortController();
  const reason = new Error('enough');
  let hasEnded = false;
  const silent = async function* (): AsyncGenerator<string[]> {
    try {
      yield ['a', 'b'];
      await new Promise((resolve) => setTimeout(resolve, 300));
      yield ['c'];
    } finally {
      hasEnded = true;
    }
  };
  setTimeout(() => abort.abort(reason), 20);
  const begin = performance.now();
  assert.is(await errorOf(trainWord2Vec(silent(), { ...small, signal: abort.signal })), reason);
  assert.ok(performance.now() - begin < 250);
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.ok(hasEnded, 'the iterable was told');
});

t('a folder that cannot hold temporary files', async () => {
  const error = await errorOf(trainWord2Vec([['a']], { ...small, directory: join(folder, 'nowhere') }));
  assert.is(error.code, 'IO');
  assert.ok(error.message.includes(join(folder, 'nowhere')));
});

t('bytes that are not UTF-8, NUL, long words and lines, CRLF and a byte order mark', async () => {
  const file = join(folder, 'odd.txt');
  const long = 'x'.repeat(1_000_000);
  writeFileSync(
    file,
    Buffer.concat([
      Buffer.from('\ufeffone two\r\n'),
      Buffer.from([0x63, 0xe9, 0x20, 0x61, 0, 0x62, 0x0a]),
      Buffer.from(`${long} ${'é'.repeat(600)}\n`),
    ]),
  );
  const { vectors, report } = await trainWord2Vec(file, small);
  assert.equal([report.repairedWords, report.cutWords], [2, 2]);
  assert.ok(vectors.has('one') && vectors.has('two') && vectors.has('c\ufffd') && vectors.has('a\ufffdb'));
  assert.ok(vectors.has('x'.repeat(1000)) && vectors.has('é'.repeat(500)));
  const line = join(folder, 'line.txt');
  writeFileSync(line, 'a b '.repeat(20_000));
  assert.equal(await trainWord2Vec(line, small).then(({ report: own }) => [own.words, own.sentences]), [40_000, 4]);
});

t('an iterable that throws, or yields what is no sentence', async () => {
  const directory = mkdtempSync(join(folder, 'thrown-'));
  const own = new Error('own');
  const failing = function* (): Generator<string[]> {
    yield ['a', 'b'];
    throw own;
  };
  assert.is(await errorOf(trainWord2Vec(failing(), { ...small, directory })), own);
  assert.equal(readdirSync(directory), []);
  assert.is(
    await errorOf(
      trainWord2Vec(['text'], {
        ...small,
        tokenizer: () => {
          throw own;
        },
      }),
    ),
    own,
  );
  for (const [corpus, index] of [
    [[['a'], 7], 1],
    [[['a'], ['b', null]], 1],
    [[['a', 'b'], ['c'], {}], 2],
  ] as const) {
    const error = await errorOf(trainWord2Vec(corpus as unknown as Corpus, small));
    assert.is(error.code, 'INVALID_ARG');
    assert.ok(error.message.includes(`sentence ${index}`), error.message);
  }
  for (const corpus of [7, null, undefined, {}])
    assert.is((await errorOf(() => trainWord2Vec(corpus as unknown as Corpus, small))).code, 'INVALID_ARG');
});

t('options outside their ranges', async () => {
  const wrong: readonly object[] = [
    { vectorSize: 0 },
    { vectorSize: 4097 },
    { window: 0 },
    { epochs: 0 },
    { alpha: 0 },
    { alpha: NaN },
    { alpha: -1 },
    { minAlpha: 1 },
    { negative: 0 },
    { hs: true, negative: 5 },
    { negative: -1 },
    { sample: -1 },
    { vectorsize: 10 },
    { threads: 0 },
    { initial: {} },
  ];
  for (const options of wrong) {
    const error = await errorOf(() => trainWord2Vec([['a']], options as Word2VecOptions));
    assert.is(error.code, 'INVALID_OPTION', JSON.stringify(options));
  }
  assert.is((await errorOf(() => trainFastText([['a']], { minN: 5, maxN: 3 }))).code, 'INVALID_OPTION');
  for (const options of [{ xMax: 0 }, { eta: 0 }, { window: 0 }, { memoryBytes: 1 }]) {
    assert.is((await errorOf(() => trainGloVe([['a']], options))).code, 'INVALID_OPTION');
  }
});

t('weights that become infinite are NON_FINITE, with the rate', async () => {
  const corpus = drawnCorpus(300);
  for (const work of [
    () => trainWord2Vec(corpus, { ...small, alpha: 1e30, minAlpha: 1e30, epochs: 5 }),
    () => trainWord2Vec(corpus, { ...small, sg: false, alpha: 1e30, minAlpha: 1e30, epochs: 5 }),
    () => trainGloVe(corpus, { ...small, eta: 1e25, epochs: 5 }),
  ]) {
    const error = await errorOf(work);
    assert.is(error.code, 'NON_FINITE');
    assert.match(error.message, /e\+?(?:30|25)/);
  }
});

t('more memory than there is is refused before anything is allocated', async () => {
  const system = process as { availableMemory: () => number };
  const known = system.availableMemory;
  system.availableMemory = () => 100_000;
  try {
    // 2 tables of 1 row of 64 bytes a word, or 6 rows of 16,384 with the n-grams of one word.
    await trainWord2Vec([['word']], small);
    const error = await errorOf(() => trainFastText([['wording']], { ...small, vectorSize: 4096 }));
    assert.is(error.code, 'OUT_OF_MEMORY');
    assert.match(error.message, /GB.*bucket/);
  } finally {
    system.availableMemory = known;
  }
});

t('the tables of fastText hold the n-grams of the corpus alone, and their bytes are told', async () => {
  const { report, vectors } = await trainFastText([['ab', 'cd']], { ...small, epochs: 1, vectorSize: 4, minN: 3, maxN: 3 });
  // <ab and ab>, <cd and cd>; the words' rows, their outputs and what comes out; 64 bytes each.
  assert.is(report.tableBytes, (4 + 3 * 2) * 64);
  // An n-gram that nobody has is zeros, and counts.
  const [known, half] = [vectors.get('ab')!, vectors.get('abx')!];
  assert.ok(known.some((value) => value !== 0) && half.some((value) => value !== 0));
  assert.equal([...vectors.get('xyz')!], [0, 0, 0, 0]);
});

t('workers that end in the middle of a training leave nothing behind', async () => {
  const directory = mkdtempSync(join(folder, 'workers-'));
  const source = `
    import('tsx/esm/api').then(async ({ register }) => {
      register();
      const { trainWord2Vec } = await import(${JSON.stringify(new URL('../../src/word-vectors/index.ts', import.meta.url).href)});
      require('node:worker_threads').parentPort.postMessage('go');
      await trainWord2Vec([['a', 'b', 'c', 'd']], { minCount: 1, epochs: 1000000, directory: ${JSON.stringify(directory)} });
    });`;
  const workers = Array.from({ length: 3 }, () => new Worker(source, { eval: true }));
  await Promise.all(
    workers.map(async (worker) => {
      await new Promise((resolve) => worker.once('message', resolve));
      await new Promise((resolve) => setTimeout(resolve, 30));
      await worker.terminate();
    }),
  );
  assert.equal(readdirSync(directory), []);
  assert.is((await trainWord2Vec([['a', 'b']], small)).vectors.size, 2);
});

t.run();
