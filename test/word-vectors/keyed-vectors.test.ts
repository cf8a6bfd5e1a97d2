import { spawnSync } from 'node:child_process';
import {
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import * as assert from 'uvu/assert';
import { cliProgram } from '../support/cli.js';
import { suite } from '../support/suite.js';
import { Random } from '../support/random.js';
import type { BerthaError } from '../../src/errors.js';
import { KeyedVectors, loadWordVectors, type SaveOptions } from '../../src/word-vectors/index.js';

const t = suite('word vectors');
const folder = mkdtempSync(join(tmpdir(), 'bertha-vectors-test-'));
const golden = (name: string): string => fileURLToPath(new URL(`../golden-vectors/files/${name}`, import.meta.url));
const random = new Random(5);
const words = ['the', 'king', 'queen', 'café', '北京', '😀', 'New York', ...Array.from({ length: 500 }, (_, i) => `word${i}`)];
const vectors = { data: random.floats(words.length * 20), dimensions: 20 };
const kv = KeyedVectors.fromVectors(
  words,
  vectors,
  words.map((_, i) => 1000 - i),
);

t.after(() => rmSync(folder, { recursive: true }));

async function errorOf(work: () => unknown): Promise<BerthaError> {
  try {
    await work();
  } catch (error) {
    return error as BerthaError;
  }
  throw new Error('no error');
}

t('gives words, numbers, counts and copies of vectors', async () => {
  assert.equal([kv.size, kv.dimensions, kv.indexOf('king'), kv.indexOf('no'), kv.count('king'), kv.count('no')], [507, 20, 1, -1, 999, 0]);
  assert.equal(kv.words(1, 4), ['king', 'queen', 'café']);
  assert.equal(kv.get('北京'), vectors.data.slice(80, 100));
  kv.get('king')!.fill(0);
  assert.equal(kv.get('king'), vectors.data.slice(20, 40));
  assert.is(kv.get('nowhere'), undefined);
  assert.ok(kv.has('😀') && !kv.has('Café'));
  assert.equal(await kv.toMatrix(), vectors);
});

for (const [name, options] of Object.entries<SaveOptions>({
  'plain.vec': { vocabulary: join(folder, 'vocab.txt') },
  'plain.txt': {},
  'plain.safetensors': {},
})) {
  t(`${name}: what is saved comes back with the same bits`, async () => {
    const file = join(folder, name);
    await kv.save(file, options);
    const back = await loadWordVectors(file, options.vocabulary === undefined ? {} : { vocabulary: options.vocabulary });
    assert.equal(back.words(), words);
    assert.equal(await back.toMatrix(), vectors);
    if (!name.endsWith('.txt')) assert.equal([back.count('the'), back.count('New York')], [1000, 994]);
  });
}

t('the binary form has no room for words with blanks, all else comes back', async () => {
  const file = join(folder, 'plain.bin');
  assert.is((await errorOf(() => kv.save(file))).code, 'INVALID_ARG');
  const some = KeyedVectors.fromVectors(words.slice(0, 6), { data: vectors.data.subarray(0, 120), dimensions: 20 });
  await some.save(file);
  assert.equal(await (await loadWordVectors(file)).toMatrix(), await some.toMatrix());
});

t('a model of fastText is written as it was read', async () => {
  const model = await loadWordVectors(golden('fasttext.bin'));
  const file = join(folder, 'fasttext.bin');
  await model.save(file);
  const back = await loadWordVectors(file);
  for (const word of ['king', 'queenly', '京北']) assert.equal(back.get(word), model.get(word));
  assert.equal(back.words(), model.words());
  const without = await loadWordVectors(golden('fasttext.bin'), { subwords: false });
  assert.equal([without.hasSubwords, without.get('queenly'), without.get('king')], [false, undefined, model.get('king')]);
  assert.is((await errorOf(() => without.save(file, { format: 'fasttext' }))).code, 'INVALID_ARG');
});

t('what a killed process left of a file goes at the next save, what others write stays', async () => {
  const own = mkdtempSync(join(folder, 'parts-'));
  const dead = spawnSync(process.execPath, ['-e', '']).pid;
  const [gone, alive, other] = [`a.vec.part-${dead}-0`, `a.vec.part-${process.ppid}-0`, `b.vec.part-${dead}-0`];
  for (const name of [gone, alive, other]) writeFileSync(join(own, name), 'part');
  await Promise.all([kv.save(join(own, 'a.vec')), kv.save(join(own, 'a.vec'))]);
  assert.equal(readdirSync(own).sort(), ['a.vec', alive, other].sort());
  assert.equal(await (await loadWordVectors(join(own, 'a.vec'))).toMatrix(), vectors);
  mkdirSync(join(own, 'folder.vec'));
  assert.is((await errorOf(() => kv.save(join(own, 'folder.vec')))).code, 'IO');
  assert.equal(
    readdirSync(own).filter((name) => name.startsWith('folder.vec.')),
    [],
  );
});

t('a save never replaces a device or a FIFO, and writes what a link points to', async () => {
  const own = mkdtempSync(join(folder, 'targets-'));
  const fifo = join(own, 'fifo.vec');
  assert.is(spawnSync('mkfifo', [fifo]).status, 0);
  for (const format of ['word2vec', 'safetensors'] as const) {
    const error = await errorOf(() => kv.save(fifo, { format }));
    assert.is(error.code, 'IO');
    assert.match(error.message, 'regular file');
  }
  const { status, stderr } = spawnSync(process.execPath, [cliProgram, 'word2vec', join(own, 'none.txt'), '--output', fifo], {
    encoding: 'utf8',
  });
  assert.is(status, 1);
  assert.match(stderr, 'regular file');
  assert.ok(statSync(fifo).isFIFO());
  await kv.save(join(own, 'file.vec'));
  symlinkSync('file.vec', join(own, 'link.vec'));
  await kv.save(join(own, 'link.vec'));
  assert.ok(lstatSync(join(own, 'link.vec')).isSymbolicLink());
});

t('words that a format would not give back are refused', async () => {
  const lines = KeyedVectors.fromVectors(['a', 'b\nc'], [[1], [2]]);
  const zeros = KeyedVectors.fromVectors(['a', 'b\0c'], [[1], [2]]);
  for (const name of ['refused.vec', 'refused.txt', 'refused.bin']) {
    assert.is((await errorOf(() => lines.save(join(folder, name)))).code, 'INVALID_ARG', name);
  }
  const file = join(folder, 'refused.safetensors');
  for (const options of [{}, { quantize: 'int8' }] as const)
    assert.is((await errorOf(() => zeros.save(file, options))).code, 'INVALID_ARG');
  await lines.save(file);
  assert.equal((await loadWordVectors(file)).words(), ['a', 'b\nc']);
});

t('counts beside safetensors', async () => {
  const file = join(folder, 'counted.safetensors');
  await KeyedVectors.fromVectors(['a', 'b'], [[1], [2]]).save(file);
  writeFileSync(join(folder, 'counts.txt'), 'b 7\n');
  assert.is((await loadWordVectors(file, { vocabulary: join(folder, 'counts.txt') })).count('b'), 7);
});

t('int8 and binary storage', async () => {
  for (const [quantize, least] of [
    ['int8', 0.999],
    ['binary', 0.7],
  ] as const) {
    const file = join(folder, `${quantize}.safetensors`);
    await kv.save(file, { quantize });
    const back = await loadWordVectors(file);
    const [found] = await back.mostSimilar({ positive: vectors.data.slice(20, 40), topN: 1 });
    assert.is(found!.word, 'king');
    assert.ok(found!.similarity > least, `${found!.similarity}`);
    assert.is(back.count('queen'), 998);
  }
  assert.ok(readFileSync(join(folder, 'int8.safetensors')).length < readFileSync(join(folder, 'plain.safetensors')).length / 2);
  assert.is((await kv.quantize('int8')).count, kv.size);
});

t('packed texts are unpacked, and leave nothing', async () => {
  const file = join(folder, 'packed.vec.gz');
  writeFileSync(file, gzipSync(readFileSync(golden('gensim.vec'))));
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith('bertha-words-'));
  assert.equal(await (await loadWordVectors(file)).toMatrix(), await (await loadWordVectors(golden('gensim.vec'))).toMatrix());
  assert.equal(
    readdirSync(tmpdir()).filter((name) => name.startsWith('bertha-words-')),
    before,
  );
  writeFileSync(file, gzipSync('3 12\nword 1 2\n'));
  const error = await errorOf(() => loadWordVectors(file));
  assert.is(error.code, 'VECTORS_FORMAT');
  assert.ok(error.message.includes(file), error.message);
  writeFileSync(file, 'no gzip');
  assert.is((await errorOf(() => loadWordVectors(file))).code, 'IO');
});

t('limits, headers that cannot be told, strict UTF-8, warnings', async () => {
  assert.equal((await loadWordVectors(golden('gensim.vec'), { limit: 3 })).size, 3);
  assert.equal((await loadWordVectors(golden('gensim.bin'), { limit: 3 })).size, 3);
  assert.match((await errorOf(() => loadWordVectors(golden('header-like.txt')))).message, /header/);
  assert.is((await errorOf(() => loadWordVectors(golden('bad-utf8.vec'), { errors: 'strict' }))).code, 'VECTORS_FORMAT');
  const warnings: string[] = [];
  await loadWordVectors(golden('bad-utf8.vec'), { onWarning: (message) => warnings.push(message) });
  await loadWordVectors(golden('duplicates.bin'), { onWarning: (message) => warnings.push(message) });
  assert.match(warnings.join(), /2 words were not UTF-8.*1 words stood twice/);
});

t('a file that changes while it is read is IO with its name', async () => {
  const many = Array.from({ length: 30_000 }, (_, i) => `word${i}`);
  const large = KeyedVectors.fromVectors(many, { data: random.floats(many.length * 20), dimensions: 20 });
  for (const name of ['changing.vec', 'changing.bin', 'changing.safetensors']) {
    const file = join(folder, name);
    await large.save(file);
    let seconds = 1e9;
    const timer = setInterval(() => utimesSync(file, seconds, seconds++), 1);
    const error = await errorOf(() => loadWordVectors(file, { threads: 1 })).finally(() => clearInterval(timer));
    assert.is(error.code, 'IO');
    assert.ok(error.message.includes(file), error.message);
  }
});

t('damaged files say where, and what is no word vectors at all is named', async () => {
  for (const [name, code, says] of [
    ['row-short.vec', 'VECTORS_FORMAT', /row-short\.vec, line 3/],
    ['nan.vec', 'VECTORS_FORMAT', /line 3.*word/],
    ['truncated.bin', 'VECTORS_FORMAT', /truncated\.bin at byte \d+/],
    ['pickle.bin', 'UNSAFE_FORMAT', /save_word2vec_format/],
    ['fasttext-quantized.bin', 'DTYPE_UNSUPPORTED', /quantized/],
    ['missing.vec', 'IO', /missing\.vec/],
  ] as const) {
    const error = await errorOf(() => loadWordVectors(golden(name)));
    assert.is(error.code, code);
    assert.match(error.message, says);
  }
  const file = join(folder, 'wrong.safetensors');
  for (const bytes of [Buffer.from('{}'), Buffer.alloc(64)]) {
    writeFileSync(file, bytes);
    assert.is((await errorOf(() => loadWordVectors(file))).code, 'VECTORS_FORMAT');
  }
});

t('unknown words: undefined from get, an error with like spellings from queries, left out of lists', async () => {
  for (const work of [
    () => kv.similarity('kinh', 'the'),
    () => kv.distance('the', 'kinh'),
    () => kv.mostSimilar('kinh'),
    () => kv.analogy('the', 'kinh', 'queen'),
    () => kv.rank('kinh', 'the'),
  ]) {
    const error = await errorOf(work);
    assert.is(error.code, 'UNKNOWN_WORD');
    assert.match(error.message, /"kinh".*"king"/);
  }
  assert.match((await errorOf(() => kv.similarity('CAFÉ', 'the'))).message, /"café"/);
  assert.ok(words.includes(kv.doesntMatch(['unknown', 'king', 'queen', 'the'])));
  assert.is(kv.nSimilarity(['king', 'unknown'], ['queen']), kv.nSimilarity(['king'], ['queen']));
  assert.equal(kv.documentVector(['king', 'unknown']), kv.get('king'));
  for (const work of [
    () => kv.doesntMatch(['unknown']),
    () => kv.nSimilarity(['king'], ['unknown']),
    () => kv.documentVector(['unknown']),
  ]) {
    assert.is((await errorOf(work)).code, 'UNKNOWN_WORD');
  }
  for (const work of [() => kv.doesntMatch([]), () => kv.nSimilarity([], ['king']), () => kv.mostSimilar({})]) {
    assert.is((await errorOf(work)).code, 'INVALID_ARG');
  }
});

t('a vector of zeros is similar to nothing', async () => {
  const zeros = KeyedVectors.fromVectors(['zero', 'one', 'two'], { data: Float32Array.of(0, 0, 1, 0, 1, 1), dimensions: 2 });
  assert.equal([zeros.similarity('zero', 'one'), zeros.distance('zero', 'zero')], [0, 1]);
  assert.equal(
    (await zeros.mostSimilar('zero')).map(({ similarity }) => similarity),
    [0, 0],
  );
});

t('weights, vectors and parts of the vocabulary in queries; rank and closerThan agree with a search', async () => {
  const king = kv.get('king')!;
  assert.is((await kv.mostSimilar({ positive: king, topN: 1 }))[0]!.word, 'king');
  const [weighted, twice] = await Promise.all(
    [[['king', 2], 'queen'] as const, ['king', 'queen', 'king']].map((positive) => kv.mostSimilar({ positive })),
  );
  assert.ok(weighted!.every(({ word, similarity }, i) => word === twice![i]!.word && Math.abs(similarity - twice![i]!.similarity) < 1e-12));
  const found = await kv.mostSimilar({ positive: ['king'], topN: 10_000 });
  assert.is(found.length, words.length - 1);
  assert.ok(found.every(({ similarity }, i) => i === 0 || similarity <= found[i - 1]!.similarity));
  assert.is(await kv.rank('king', found[7]!.word), 8);
  assert.equal(
    await kv.closerThan('king', found[3]!.word),
    found.slice(0, 3).map(({ word }) => word),
  );
  const first = await kv.mostSimilar({ positive: ['king'], topN: 100, restrictVocab: 7 });
  assert.equal(first.map(({ word }) => word).sort(), ['New York', 'café', 'queen', 'the', '北京', '😀'].sort());
  for (const query of [{ positive: new Float32Array(3) }, { positive: [7] }, { positive: [['king', NaN]] }]) {
    assert.is((await errorOf(() => kv.mostSimilar(query as never))).code, 'INVALID_ARG');
  }
  for (const query of [
    { positive: 'king', topN: 0 },
    { positive: 'king', topn: 3 },
  ]) {
    assert.is((await errorOf(() => kv.mostSimilar(query as never))).code, 'INVALID_OPTION');
  }
});

t('draws words as a picture and a page in which labels stand apart and text is escaped', async () => {
  const odd = KeyedVectors.fromVectors(['<b>', 'a&b', '北京', 'x'], { data: random.floats(12), dimensions: 3 });
  const { svg, html, points } = await odd.plot(odd.words(), { title: 'Words & <more>' });
  assert.is(points.length, 4);
  assert.ok(svg.startsWith('<svg') && svg.includes('&#60;b&#62;') && !svg.includes('<b>') && svg.includes('北京'));
  assert.ok(html.includes('Words &#38; &#60;more&#62;') && html.includes('<table>'));
  const many = await kv.plot(kv.words(0, 60));
  const labels = [...many.svg.matchAll(/<text x="([\d.]+)" y="([\d.]+)">([^<]*)</g)].map(([, x, y, text]) => ({
    x: Number(x),
    y: Number(y),
    right: Number(x) + 7 * text!.length,
  }));
  assert.is(labels.length, 60);
  const overlapping = labels.filter((a, i) => labels.some((b, j) => i !== j && Math.abs(a.y - b.y) < 8 && a.x < b.right && b.x < a.right));
  assert.is(overlapping.length, 0);
  assert.is((await errorOf(() => odd.plot(['x']))).code, 'INVALID_ARG');
});

t('lists that do not go together', async () => {
  for (const work of [
    () => KeyedVectors.fromVectors(['a'], { data: new Float32Array(4), dimensions: 2 }),
    () => KeyedVectors.fromVectors([], []),
    () => KeyedVectors.fromVectors(['a', ''], { data: new Float32Array(4), dimensions: 2 }),
    () => KeyedVectors.fromVectors(['a'], [Float32Array.of(1, NaN)]),
    () => KeyedVectors.fromVectors(['a'], [Float32Array.of(1, 2)], [1, 2]),
  ]) {
    assert.is((await errorOf(work)).code, 'INVALID_ARG');
  }
});

t.run();
