import { createReadStream, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { Readable } from 'node:stream';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import { drawnCorpus } from '../support/drawn-corpus.js';
import {
  type FastTextOptions,
  type KeyedVectors,
  segmentWords,
  trainFastText,
  trainGloVe,
  trainWord2Vec,
  type Word2VecOptions,
} from '../../src/word-vectors/index.js';

const t = suite('training word vectors');
const folder = mkdtempSync(join(tmpdir(), 'bertha-words-test-'));
const corpus = drawnCorpus(600);
const small = { vectorSize: 24, minCount: 1, epochs: 8, sample: 0, alpha: 0.05, threads: 1 };

t.after(() => rmSync(folder, { recursive: true }));

/** The share of nearest words that are of the word's own set. */
async function purity(vectors: KeyedVectors): Promise<number> {
  const found = await Promise.all(
    vectors.words().map(async (word) => (await vectors.mostSimilar(word, { topN: 5 })).map((near) => near.word[0] === word[0])),
  );
  const all = found.flat();
  return all.filter(Boolean).length / all.length;
}

async function bytesOf(vectors: KeyedVectors): Promise<string> {
  return Buffer.from((await vectors.toMatrix()).data.buffer).toString('base64');
}

for (const [name, options] of Object.entries<Word2VecOptions>({
  'skip-gram': { sg: true },
  CBOW: { sg: false },
  'CBOW by sums': { sg: false, cbowMean: false },
  'skip-gram with hierarchical softmax': { hs: true },
  'CBOW with hierarchical softmax': { sg: false, hs: true },
  'skip-gram with windows of one size': { shrinkWindows: false, window: 2 },
})) {
  t(`word2vec learns which words stand together: ${name}`, async () => {
    const { vectors, report } = await trainWord2Vec(corpus, { ...small, ...options });
    assert.is(vectors.size, 40);
    assert.is(vectors.dimensions, 24);
    assert.equal([report.words, report.sentences, report.keptWords, report.vocabularySize], [6000, 600, 6000, 40]);
    const share = await purity(vectors);
    assert.ok(share > 0.95, `${share}`);
  });
}

for (const [name, options] of Object.entries<FastTextOptions>({
  'skip-gram': {},
  CBOW: { sg: false },
  'hierarchical softmax': { hs: true },
})) {
  t(`fastText learns n-grams, and composes words that it never saw: ${name}`, async () => {
    const { vectors } = await trainFastText(corpus, { ...small, minN: 2, maxN: 3, bucket: 500, ...options });
    assert.ok((await purity(vectors)) > 0.95);
    assert.ok(vectors.hasSubwords && !vectors.has('a1x'));
    const [near] = await vectors.mostSimilar({ positive: vectors.get('a1x')! });
    assert.is(near!.word[0], 'a');
  });
}

t('GloVe learns which words stand together, with the same bits for any number of threads and any memory', async () => {
  const options = { vectorSize: 16, minCount: 1, epochs: 15, xMax: 10, window: 5 };
  const { vectors } = await trainGloVe(corpus, { ...options, threads: 1 });
  assert.ok((await purity(vectors)) > 0.95);
  for (const threads of [2, 3])
    assert.is(await bytesOf((await trainGloVe(corpus, { ...options, threads })).vectors), await bytesOf(vectors));
  const wide = drawnCorpus(400).map((sentence, i) => sentence.map((word) => `${word}${i % 97}`));
  const [whole, inRuns] = await Promise.all(
    [2 ** 30, 2 ** 20].map((memoryBytes) => trainGloVe(wide, { ...options, epochs: 2, memoryBytes })),
  );
  assert.is(await bytesOf(inRuns!.vectors), await bytesOf(whole!.vectors));
});

t('one thread gives the same bits every time, another seed others', async () => {
  for (const options of [{}, { sg: false }, { hs: true }]) {
    const own = { ...small, epochs: 2, deterministic: true, ...options };
    const [a, b, c] = await Promise.all([own, own, { ...own, seed: 2 }].map((each) => trainWord2Vec(corpus, each)));
    assert.is(await bytesOf(a!.vectors), await bytesOf(b!.vectors));
    assert.is.not(await bytesOf(a!.vectors), await bytesOf(c!.vectors));
  }
  const fast = { ...small, epochs: 2, deterministic: true, bucket: 300 };
  const [a, b] = await Promise.all([fast, fast].map((each) => trainFastText(corpus, each)));
  assert.is(await bytesOf(a!.vectors), await bytesOf(b!.vectors));
});

t('files, packed files, lists of files, streams and iterables of words or texts are the same corpus', async () => {
  const text = corpus.map((words) => words.join(' ')).join('\n');
  const [whole, packed, first, second] = ['whole.txt', 'packed.txt.gz', 'first.txt', 'second.txt'].map((name) => join(folder, name));
  const half = text.indexOf('\n', text.length / 2);
  writeFileSync(whole!, `\ufeff${text.replaceAll('\n', '\r\n')}`);
  writeFileSync(packed!, gzipSync(text));
  writeFileSync(first!, text.slice(0, half));
  writeFileSync(second!, text.slice(half));
  const options = { ...small, epochs: 1, deterministic: true };
  const expected = await bytesOf((await trainWord2Vec(corpus, options)).vectors);
  const sentences = async function* (): AsyncGenerator<string> {
    for (const words of corpus) yield words.join(' ');
  };
  const given = [
    whole!,
    packed!,
    [first!, second!],
    Readable.from([Buffer.from(text.slice(0, 1001)), Buffer.from(text.slice(1001))]),
    createReadStream(whole!, { encoding: 'utf8', highWaterMark: 7 }),
    sentences(),
  ];
  for (const each of given) assert.is(await bytesOf((await trainWord2Vec(each, options)).vectors), expected);
  const letters = await trainWord2Vec(whole!, { ...options, tokenizer: (line) => line.split(' ') });
  assert.is(letters.vectors.size, 40);
  const streamed = await trainWord2Vec(createReadStream(whole!, { highWaterMark: 7 }), {
    ...options,
    tokenizer: (line) => [line.split(' ')[0]!],
  });
  assert.equal([streamed.report.sentences, streamed.report.words], [corpus.length, corpus.length]);
});

t('Chinese comes in by segmentWords', async () => {
  const { vectors } = await trainWord2Vec(['我喜欢音乐', '他喜欢北京'], {
    minCount: 1,
    vectorSize: 4,
    tokenizer: (text) => segmentWords(text),
  });
  assert.ok(vectors.has('喜欢') && vectors.has('音乐') && vectors.has('北京'));
});

t('words of equal counts come in order of appearance, rare ones are dropped before windows are taken', async () => {
  const { vectors, report } = await trainWord2Vec(
    [
      ['x', 'rare', 'y', 'z'],
      ['z', 'y', 'x', 'z'],
    ],
    { ...small, minCount: 2 },
  );
  assert.equal(vectors.words(), ['z', 'x', 'y']);
  assert.equal([vectors.count('z'), vectors.count('x'), vectors.count('rare')], [3, 2, 0]);
  assert.equal([report.distinctWords, report.keptWords], [4, 7]);
});

t('goes on from given vectors: known words begin with theirs, new ones come, old ones stay', async () => {
  const before = await trainWord2Vec(corpus, small);
  const more = [...corpus.slice(0, 100), ['a0', 'new', 'a1']];
  const { vectors } = await trainWord2Vec(more, { ...small, epochs: 1, alpha: 1e-6, minAlpha: 0, initial: before.vectors });
  assert.ok(vectors.has('new'));
  const moved = Math.max(...vectors.get('a0')!.map((value, z) => Math.abs(value - before.vectors.get('a0')![z]!)));
  assert.ok(moved < 1e-4, `${moved}`);
  const other = await trainWord2Vec([['only', 'these', 'words']], { ...small, initial: before.vectors });
  assert.equal(other.vectors.get('b3'), before.vectors.get('b3'));
});

t('the most frequent words are kept where there is no room for all', async () => {
  const rare = Array.from({ length: 3000 }, (_, i) => [`rare${i}`, 'often']);
  const { vectors, report } = await trainWord2Vec(rare, { ...small, epochs: 1, minCount: 1, maxVocabSize: 500 });
  assert.ok(vectors.has('often') && vectors.size <= 500 && report.forgottenWords > 2000);
  assert.match(report.warnings.join(), /forgotten/);
});

t('tells how far it is, and ends with what a listener throws', async () => {
  const seen: string[] = [];
  const long = drawnCorpus(4000);
  await trainWord2Vec(long, {
    ...small,
    epochs: 30,
    vectorSize: 100,
    onProgress: ({ phase, done, of, alpha }) => seen.push(`${phase} ${done <= of || of === 0} ${alpha < 0.06}`),
  });
  assert.ok(seen.includes('train true true'), seen.join());
  const failing = trainWord2Vec(long, {
    ...small,
    epochs: 10_000,
    onProgress: ({ phase }) => {
      if (phase === 'train') throw new Error('enough');
    },
  });
  const error: unknown = await failing.catch((caught: unknown) => caught);
  assert.is((error as Error).message, 'enough');
});

t('an abort ends every phase with its reason, and leaves nothing in the folder', async () => {
  const directory = mkdtempSync(join(folder, 'spool-'));
  const endless = async function* (): AsyncGenerator<string[]> {
    for (;;) {
      yield* corpus;
      await new Promise((resolve) => setImmediate(resolve));
    }
  };
  const reason = new Error('stop');
  const kilobytes = process.resourceUsage().maxRSS;
  for (const train of [
    (signal: AbortSignal) => trainWord2Vec(endless(), { ...small, directory, signal }),
    (signal: AbortSignal) => trainWord2Vec(corpus, { ...small, epochs: 100_000, directory, signal }),
    (signal: AbortSignal) => trainFastText(corpus, { ...small, epochs: 100_000, bucket: 1000, directory, signal }),
    (signal: AbortSignal) => trainGloVe(corpus, { epochs: 1_000_000, directory, signal }),
  ]) {
    const controller = new AbortController();
    setTimeout(() => controller.abort(reason), 60);
    const error: unknown = await train(controller.signal).catch((caught: unknown) => caught);
    assert.is(error, reason);
    assert.equal(readdirSync(directory), []);
  }
  const grown = process.resourceUsage().maxRSS - kilobytes;
  assert.ok(grown < 200_000, `memory grew by ${grown} kB with the epochs to come`);
});

t.run();
