// Copies of texts with other words, by a masked-word model.
import * as assert from 'uvu/assert';
import { loadModel } from '../../src/models/model.js';
import { fillMask } from '../../src/tasks/fill-mask.js';
import { augmentTexts } from '../../src/training/index.js';
import { golden, rejection } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('augmentation');
const rows = ['A cat sits, on the mat.', 'one word', '?!', ''].map((text, id) => ({ text, label: `label ${id}`, id }));
const wordsOf = (text: string): string[] => text.match(/[\p{L}\p{M}\p{N}]+/gu) ?? [];

t('so many words are others, all else stays, and the seed decides', async () => {
  const model = await loadModel(golden('tiny', 'bert-mlm'));
  const made = await augmentTexts(model, rows, {
    copies: 3,
    words: 2,
    seed: 7,
  });
  assert.is(made.length, rows.length * 4);
  assert.equal(made.slice(0, rows.length), rows);
  made.slice(rows.length).forEach(({ text, ...rest }, i) => {
    const source = rows[Math.floor(i / 3)]!;
    assert.equal(rest, { label: source.label, id: source.id });
    const [before, after] = [wordsOf(source.text), wordsOf(text)];
    assert.is(after.length, before.length, text);
    assert.is(after.filter((word, w) => word !== before[w]).length, Math.min(2, before.length), text);
    assert.is(text.replace(/[\p{L}\p{M}\p{N}]+/gu, 'x'), source.text.replace(/[\p{L}\p{M}\p{N}]+/gu, 'x'));
  });
  assert.equal(await augmentTexts(model, rows, { copies: 3, words: 2, seed: 7 }), made);
  assert.not.equal(await augmentTexts(model, rows, { copies: 3, words: 2, seed: 8 }), made);
  const codeOf = async (call: () => Promise<unknown>) => (await rejection(call)).code;
  assert.is(await codeOf(() => augmentTexts(model, [{ label: 'a' }])), 'DATASET');
  assert.is(await codeOf(() => augmentTexts(model, rows, { copies: 0 })), 'INVALID_OPTION');
  model.dispose();
  const other = await loadModel(golden('tiny', 'bert-nli'));
  assert.is(await codeOf(() => augmentTexts(other, rows)), 'NO_HEAD');
  other.dispose();
});

t('without options a copy of each row has one word in ten replaced, at least one', async () => {
  const model = await loadModel(golden('tiny', 'bert-mlm'));
  const lengths = [1, 9, 10, 19, 20, 29];
  const texts = lengths.map((length) => ({ text: Array.from({ length }, (_, i) => (i % 2 === 0 ? 'cat' : 'mat')).join(' ') }));
  const made = await augmentTexts(model, texts);
  assert.is(made.length, 2 * texts.length, 'the originals keep half of the weight');
  made.slice(texts.length).forEach(({ text }, i) => {
    const [before, after] = [wordsOf(texts[i]!.text), wordsOf(text)];
    const changed = after.filter((word, w) => word !== before[w]).length;
    assert.is(changed, Math.max(1, Math.floor(lengths[i]! / 10)), `${lengths[i]} words`);
  });
  model.dispose();
});

t('likelier words are drawn more often', async () => {
  const model = await loadModel(golden('tiny', 'bert-mlm'));
  const [masks, copies] = [(await fillMask(model, 'a [MASK] on the mat', { topK: 50 })).masks, 300];
  const likeliest = masks[0]!.candidates.filter(({ tokenStr }) => /^[\p{L}\p{N}]+$/u.test(tokenStr) && tokenStr !== 'cat').slice(0, 2);
  const made = await augmentTexts(model, [{ text: 'a cat on the mat' }], { copies, words: 1, topK: 2 });
  const drawn = made.map(({ text }) => wordsOf(text)[1]!).filter((word) => word !== 'cat');
  const share = likeliest[0]!.score / (likeliest[0]!.score + likeliest[1]!.score);
  const got = drawn.filter((word) => word === likeliest[0]!.tokenStr).length / drawn.length;
  // Four standard errors of so many draws.
  assert.ok(Math.abs(got - share) <= 4 * Math.sqrt((share * (1 - share)) / drawn.length), `${got} for ${share} of ${drawn.length}`);
  model.dispose();
});

t('words beyond the limit of the model stay, and masks that a text holds are not those that are asked', async () => {
  const model = await loadModel(golden('tiny', 'bert-mlm'));
  const long = Array.from({ length: 2 * model.maxTokens }, (_, i) => (i % 2 === 0 ? 'cat' : 'mat')).join(' ');
  const [, copy] = await augmentTexts(model, [{ text: long }], { words: 20, seed: 3 });
  const [before, after] = [wordsOf(long), wordsOf(copy!.text)];
  const changed = after.flatMap((word, i) => (word === before[i] ? [] : [i]));
  assert.ok(changed.length > 0 && changed.length <= 20 && changed.every((i) => i < model.maxTokens), changed.join());
  assert.is(after.length, before.length);
  for (const { text } of await augmentTexts(model, [{ text: '[MASK] cat [MASK]' }], { copies: 4, words: 3 })) {
    assert.match(text, /^\[MASK\] \S+ \[MASK\]$/);
  }
  for (const row of [null, 'text']) assert.is((await rejection(() => augmentTexts(model, [row as never]))).code, 'DATASET');
  assert.is((await rejection(() => augmentTexts(model, 'text' as never))).code, 'INVALID_ARG');
  model.dispose();
});

t.run();
