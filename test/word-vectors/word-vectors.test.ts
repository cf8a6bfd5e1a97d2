import * as assert from 'uvu/assert';
import { loadModel, type Model } from '../../src/index.js';
import { hstack, LogisticRegression, type Matrix } from '../../src/learn/index.js';
import { KeyedVectors, meanWordVectors, segmentWords, wordVectors } from '../../src/word-vectors/index.js';
import { golden, rejection } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('words in context');
const text = 'The catnip of Ünrelated cats, unbelievably.';

function near(got: Float32Array, expected: readonly number[]): void {
  assert.is(got.length, expected.length);
  expected.forEach((value, j) => assert.ok(Math.abs(got[j]! - value) < 1e-5, `${got[j]} for ${value}`));
}

/** The states of layers for the tokens that share a character with text[start, end), pooled by hand: every token is looked at. */
async function byHand(model: Model, given: string, [start, end]: readonly [number, number], layers: readonly number[]) {
  const encoding = model.tokenizer.encode(given, { offsets: true });
  const { hiddenStates } = await model.forward(encoding, { hiddenStates: true });
  const width = hiddenStates![0]!.dims[1]!;
  const tokens = Array.from(encoding.ids.keys()).filter(
    (i) => encoding.specialTokensMask[i] === 0 && encoding.offsets![2 * i]! < end && encoding.offsets![2 * i + 1]! > start,
  );
  const row = (token: number) =>
    Array.from({ length: width }, (_, j) => layers.reduce((sum, layer) => sum + hiddenStates!.at(layer)!.data[token * width + j]!, 0));
  return { tokens, row, mean: Array.from({ length: width }, (_, j) => tokens.reduce((sum, i) => sum + row(i)[j]!, 0) / tokens.length) };
}

for (const name of ['bert-cased', 'distilbert-mlm', 'mpnet-base']) {
  t(`${name}: hidden states pooled over a word's tokens, in every way`, async () => {
    const model = await loadModel(golden(`tiny/${name}`));
    const words = await wordVectors(model, text, { words: 'whitespace' });
    assert.equal(
      words.map(({ word }) => word),
      text.split(' '),
    );
    assert.ok(words.some(({ tokens }) => tokens > 2));
    for (const { word, start, end, tokens, vector } of words) {
      assert.is(text.slice(start, end), word);
      const expected = await byHand(model, text, [start, end], [-1]);
      assert.is(tokens, expected.tokens.length);
      near(vector, expected.mean);
    }
    const { start, end } = words.find(({ tokens }) => tokens > 2)!;
    const spans = [[[start, end]]] as const;
    for (const layers of [[0], [1], [-1], [0, -1], [1, 0, 2]]) {
      const expected = await byHand(model, text, [start, end], layers);
      const one = async (options: object) => (await wordVectors(model, [text], { words: spans, layers, ...options }))[0]![0]!.vector;
      near(await one({ combine: 'sum' }), expected.mean);
      near(
        await one({}),
        expected.mean.map((value) => value / layers.length),
      );
      near(await one({ combine: 'sum', pooling: 'first' }), expected.row(expected.tokens[0]!));
      near(await one({ combine: 'sum', pooling: 'last' }), expected.row(expected.tokens.at(-1)!));
    }
    model.dispose();
  });
}

t('words of the tokenizer, of segmentWords, of lists; none of an empty text', async () => {
  const model = await loadModel(golden('tiny/bert-chinese'));
  const chinese = '我喜欢喝茶，味道很好。';
  const spelled = async (options: object) => (await wordVectors(model, chinese, options)).map(({ word }) => word);
  assert.equal(await spelled({}), [...chinese]);
  const words = await wordVectors(model, chinese, { words: (each) => segmentWords(each) });
  assert.equal(
    words.map(({ word, tokens }) => [word, tokens]),
    segmentWords(chinese).map((word) => [word, [...word].length]),
  );
  for (const { start, end, vector } of words) near(vector, (await byHand(model, chinese, [start, end], [-1])).mean);
  assert.equal(await spelled({ words: [['喝茶', [6, 8]]] }), ['喝茶', chinese.slice(6, 8)]);
  assert.equal(await wordVectors(model, ['', '茶'], { words: 'whitespace' }).then((all) => all.map(({ length }) => length)), [0, 1]);
  assert.equal([await wordVectors(model, ''), await wordVectors(model, []), await wordVectors(model, ['', ' '])], [[], [], [[], []]]);
  const many = await wordVectors(model, new Array<string>(300).fill(chinese)); // more than one job
  for (const each of many) assert.equal(each, many[0]);
  const dropped = await wordVectors(model, '茶 \u0000\u200d', { words: [['茶', [2, 4]]] } as object);
  assert.equal(
    dropped.map(({ tokens, vector }) => [tokens, vector.every((value) => value === 0)]),
    [
      [1, false],
      [0, true],
    ],
  );
  model.dispose();
});

t('a text beyond the limit is read in windows, each word whole and where it has most around it', async () => {
  const model = await loadModel(golden('tiny/bert-cased'));
  const long = Array.from({ length: 40 }, (_, i) => (i % 3 === 0 ? 'unbelievably' : i % 3 === 1 ? 'the' : 'cat')).join(' ');
  const whole = model.tokenizer.encode(long, { offsets: true });
  const [maxLength, shared] = [40, 5];
  assert.ok(whole.length > 2 * maxLength);
  const words = await wordVectors(model, long, { words: 'whitespace', maxLength });
  assert.is(words.length, 40);
  const windows = model.tokenizer.encode(long, { offsets: true, maxLength, truncation: true, stride: shared });
  const all = [windows, ...windows.overflowing];
  const states = await model.forward(all);
  for (const { start, end, vector, tokens } of words) {
    const candidates = all.map((window, w) => {
      const own = Array.from(window.ids.keys()).filter(
        (i) => window.specialTokensMask[i] === 0 && window.offsets![2 * i]! < end && window.offsets![2 * i + 1]! > start,
      );
      return { w, own, around: own.length === 0 ? -1 : Math.min(own[0]! - 1, window.length - 2 - own.at(-1)!) };
    });
    const best = candidates.sort((a, b) => b.own.length - a.own.length || b.around - a.around || a.w - b.w)[0]!;
    const { data, dims } = states[best.w]!.lastHiddenState;
    const width = dims[1]!;
    assert.is(tokens, best.own.length);
    near(
      vector,
      Array.from({ length: width }, (_, j) => best.own.reduce((sum, i) => sum + data[i * width + j]!, 0) / best.own.length),
    );
  }
  model.dispose();
});

t('beside static word vectors in hstack, and as KeyedVectors of means', async () => {
  const model = await loadModel(golden('tiny/bert-cased'));
  const texts = ['the cat', 'the catnip', 'a cat'];
  const contexts = await wordVectors(model, texts);
  const kv = meanWordVectors(contexts);
  assert.equal([kv.words().slice(0, 2).sort(), kv.count('the')], [['cat', 'the'], 2]);
  near(
    kv.get('the')!,
    Array.from(contexts[0]![0]!.vector, (value, j) => (value + contexts[1]![0]!.vector[j]!) / 2),
  );
  const words = contexts.flat();
  const fixed = KeyedVectors.fromVectors(['the', 'cat', 'catnip', 'a'], { data: Float32Array.of(1, 2, 3, 4, 5, 6, 7, 8), dimensions: 2 });
  const both: Matrix = hstack([words, words.map(({ word }) => fixed.get(word)!)]);
  const { data, dimensions } = both as { data: Float32Array; dimensions: number };
  assert.is(dimensions, model.config.hiddenSize + 2);
  assert.equal(Array.from(data.subarray(2 * dimensions - 2, 2 * dimensions)), [3, 4]);
  near(data.slice(0, dimensions - 2), Array.from(words[0]!.vector));
  const labels = words.map(({ word }) => word);
  assert.is(await (await new LogisticRegression({ C: 100 }).fit(both, labels)).score(both, labels), 1);
  assert.is((await rejection(async () => meanWordVectors([[]]))).code, 'INVALID_ARG');
  model.dispose();
});

t('refuses what cannot be', async () => {
  const model = await loadModel(golden('tiny/bert-cased'));
  const code = (given: unknown, options?: object) =>
    rejection(() => wordVectors(model, given as string, options)).then((error) => error.code);
  const layers = model.config.numLayers;
  for (const wrong of [[], 0.5, layers + 1, -layers - 2, [1, 1], 'last']) assert.is(await code('a', { layers: wrong }), 'INVALID_OPTION');
  assert.is(await code('a', { words: 'sentences' }), 'INVALID_OPTION');
  assert.is(await code('a', { pooling: 'max' }), 'INVALID_OPTION');
  assert.is(await code('a', { maxLength: 2 }), 'MAX_LENGTH');
  for (const words of [[], [['b']], [['a', 'a']], [['']], [[[0, 2]]], [[[1, 1]]], [[[-1, 1]]], [[3]], [null], () => 'a', () => ['b']]) {
    assert.is(await code('a', { words }), 'INVALID_ARG', JSON.stringify(words));
  }
  assert.is(await code(7), 'INVALID_ARG');
  assert.is(await code(['a', 7]), 'INVALID_ARG');
  const reason = new Error('enough');
  assert.is(await wordVectors(model, 'a', { signal: AbortSignal.abort(reason) }).catch((error: unknown) => error), reason);
  model.dispose();
  assert.is(await code('a'), 'DISPOSED');
});

t.run();
