import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import {
  answerQuestion,
  classifyText,
  classifyZeroShot,
  detectReplacedTokens,
  fillMask,
  loadModel,
  multipleChoice,
  predictNextSentence,
  recognizeEntities,
  rerank,
  type Model,
} from '../../src/index.js';
import { golden, rejection } from '../support/checkpoint-files.js';
import { instructionSet } from '../support/devices.js';

const t = suite(`tasks ${instructionSet}`);
const models = new Map<string, Promise<Model>>();

/** A tiny model, loaded once for all tests. */
function tiny(name: string): Promise<Model> {
  const loading = models.get(name) ?? loadModel(golden('tiny', name));
  models.set(name, loading);
  return loading;
}

t.after(async () => {
  for (const model of models.values()) (await model).dispose();
});

const kClose = (a: number, b: number, tolerance = 1e-6) => assert.ok(Math.abs(a - b) <= tolerance, `expected ${b} but received ${a}`);

t('fills several masks of several texts and keeps the other masks in the sequence', async () => {
  const model = await tiny('bert-mlm');
  const [one, two] = await fillMask(model, ['It was [MASK].', 'The [MASK] was [MASK] good.'], { topK: 3 });
  assert.is(one!.masks.length, 1);
  assert.equal(
    two!.masks.map(({ position }) => position),
    [2, 4],
  );
  assert.match(one!.masks[0]!.candidates[0]!.sequence, /^it was ?\S+\.$/);
  assert.match(two!.masks[0]!.candidates[0]!.sequence, /^\[CLS\] .* \[MASK\] good\. \[SEP\]$/);
  for (const { candidates } of two!.masks) assert.is(candidates.length, 3);
  assert.equal([one!.tokens, one!.truncated], [6, false]);
});

t('gives a text the same candidates alone and among others', async () => {
  const model = await tiny('bert-mlm');
  const alone = await fillMask(model, 'It was [MASK].');
  const among = await fillMask(model, ['A [MASK] man.', 'It was [MASK].', 'The [MASK] and the [MASK].']);
  assert.equal(among[1], alone);
});

t('scores targets as the whole vocabulary does, however many there are', async () => {
  const model = await tiny('bert-mlm');
  const all = (await fillMask(model, 'It was [MASK] good.', { topK: model.config.vocabSize })).masks[0]!.candidates;
  assert.is(all.length, model.config.vocabSize);
  kClose(
    all.reduce((sum, { score }) => sum + score, 0),
    1,
    1e-5,
  );
  const wanted = all.filter((_, i) => i % 40 === 7);
  const { masks } = await fillMask(model, 'It was [MASK] good.', {
    topK: 1000,
    targets: wanted.map(({ token }) => model.tokenizer.idToToken(token)!),
  });
  assert.equal(
    masks[0]!.candidates.map(({ token }) => token),
    wanted.map(({ token }) => token),
  );
  masks[0]!.candidates.forEach(({ score }, i) => kClose(score, wanted[i]!.score));
});

t('gives the same candidates by every way to the top', async () => {
  const model = await tiny('bert-mlm');
  const best = async (topK: number) => (await fillMask(model, 'It was [MASK] good.', { topK })).masks[0]!.candidates.slice(0, 5);
  const [few, more, most] = [await best(5), await best(100), await best(500)];
  assert.equal(
    few.map(({ token }) => token),
    more.map(({ token }) => token),
  );
  assert.equal(
    few.map(({ token }) => token),
    most.map(({ token }) => token),
  );
  few.forEach(({ score }, i) => kClose(score, most[i]!.score));
});

t('counts a target of several tokens by its first', async () => {
  const model = await tiny('bert-mlm');
  const { masks } = await fillMask(model, 'It was [MASK].', { targets: ['right right'] });
  assert.equal(
    masks[0]!.candidates.map(({ tokenStr }) => tokenStr),
    ['right'],
  );
});

t('tells which text has no mask, and what to do', async () => {
  const error = await rejection(async () => fillMask(await tiny('bert-mlm'), ['A [MASK].', 'None.']));
  assert.equal([error.code, /index 1 but received none\. Put \[MASK\]/.test(error.message)], ['NO_MASK', true]);
});

t('tells of a mask behind the length limit', async () => {
  const error = await rejection(async () => fillMask(await tiny('bert-mlm'), `${'word '.repeat(100)} [MASK]`));
  assert.equal([error.code, /within its length limit/.test(error.message)], ['NO_MASK', true]);
});

t('classifies with softmax, sigmoid or nothing', async () => {
  const model = await tiny('bert-sequence-classification');
  const text = 'It was good.';
  const { labels: soft } = await classifyText(model, text, { topK: null });
  kClose(
    soft.reduce((sum, { score }) => sum + score, 0),
    1,
  );
  const { labels: raw } = await classifyText(model, text, { topK: null, functionToApply: 'none' });
  const { labels: sigmoid } = await classifyText(model, text, { topK: null, functionToApply: 'sigmoid' });
  raw.forEach(({ score }, i) => kClose(sigmoid[i]!.score, 1 / (1 + Math.exp(-score))));
  assert.equal((await classifyText(model, text)).labels, soft.slice(0, 1));
});

t('reports a text that was cut, warns of it, or refuses it', async () => {
  const model = await tiny('bert-sequence-classification');
  const long = 'word '.repeat(100);
  assert.equal(
    (await classifyText(model, ['short', long])).map(({ truncated }) => truncated),
    [false, true],
  );
  const error = await rejection(() => classifyText(model, ['short', long], { onTruncate: 'error' }));
  assert.equal([error.code, /index 1/.test(error.message)], ['MAX_LENGTH', true]);
  const warning = new Promise<Error>((resolve) => process.once('warning', resolve));
  await classifyText(model, long, { onTruncate: 'warn' });
  assert.match((await warning).message, 'was cut at');
});

t('chooses labels it never saw, one against the others or each by itself', async () => {
  const model = await tiny('bert-nli');
  const labels = ['politics', 'sports', 'weather'];
  const one = await classifyZeroShot(model, 'It started to rain.', labels);
  kClose(
    one.scores.reduce((a, b) => a + b),
    1,
  );
  assert.equal([...one.labels].sort(), labels);
  const several = await classifyZeroShot(model, ['It started to rain.', 'A goal!'], 'politics, sports,weather', { multiLabel: true });
  assert.ok(several[0]!.scores.every((score) => score > 0 && score < 1));
  const single = await classifyZeroShot(model, 'It started to rain.', 'weather');
  kClose(single.scores[0]!, several[0]!.scores[several[0]!.labels.indexOf('weather')]!);
});

t('judges the hypothesis that the template makes', async () => {
  const model = await tiny('bert-nli');
  const { scores } = await classifyZeroShot(model, 'It rains.', ['weather'], { hypothesisTemplate: 'About {}!' });
  const { labels } = await classifyText(model, { text: 'It rains.', textPair: 'About weather!' }, { topK: null, functionToApply: 'none' });
  const logit = (name: string) => labels.find(({ label }) => label === name)!.score;
  const first = model.config.id2label[0]!;
  kClose(scores[0]!, 1 / (1 + Math.exp(logit(first) - logit('entailment'))));
});

t('needs an inference model and a label to choose labels it never saw', async () => {
  const other = await rejection(async () => classifyZeroShot(await tiny('bert-sequence-classification'), 'x', ['a']));
  assert.equal([other.code, /entailment/.test(other.message)], ['INVALID_LABEL', true]);
  assert.is((await rejection(async () => classifyZeroShot(await tiny('bert-nli'), 'x', []))).code, 'INVALID_LABEL');
  const template = await rejection(async () => classifyZeroShot(await tiny('bert-nli'), 'x', ['a'], { hypothesisTemplate: 'none' }));
  assert.is(template.code, 'INVALID_OPTION');
});

t('asks next-sentence prediction for both sentences', async () => {
  const model = await tiny('bert-nsp');
  const { isNext, notNext } = await predictNextSentence(model, { text: 'It rained.', textPair: 'She took an umbrella.' });
  kClose(isNext + notNext, 1);
  assert.is((await rejection(() => predictNextSentence(model, { text: 'It rained.' }))).code, 'INVALID_ARG');
});

t('chooses among any number of choices for several questions at once', async () => {
  const model = await tiny('bert-multiple-choice');
  const input = { text: 'The sky is', choices: ['blue', 'a kind of cheese', 'seven'] };
  const alone = await multipleChoice(model, input);
  kClose(
    alone.scores.reduce((a, b) => a + b),
    1,
  );
  assert.equal((await multipleChoice(model, [{ text: 'One', choices: ['two'] }, input]))[1], alone);
  assert.is((await rejection(() => multipleChoice(model, { text: 'x', choices: [] }))).code, 'INVALID_ARG');
});

t('places replaced tokens in the text', async () => {
  const text = 'The 😀 cat';
  const { replacedTokens } = await detectReplacedTokens(await tiny('electra-discriminator'), text);
  assert.equal([replacedTokens[0]!.special, replacedTokens.at(-1)!.special], [true, true]);
  const last = replacedTokens.at(-2)!;
  assert.is(text.slice(last.start, last.end).endsWith('t'), true);
  for (const { score, replaced } of replacedTokens) assert.is(replaced, score > 0.5);
});

t('reranks with the activation that config.json names and returns texts when asked', async () => {
  const model = await tiny('bert-cross-encoder');
  const documents = ['It is big.', 'He was born in London.', 'Water boils.'];
  const ranked = await rerank(model, 'Where was he born?', documents, { returnDocuments: true, topK: 2 });
  assert.is(ranked.length, 2);
  assert.ok(ranked[0]!.score >= ranked[1]!.score && ranked[0]!.score < 1);
  for (const { index, text } of ranked) assert.is(text, documents[index]);
  const raw = await rerank(model, 'Where was he born?', documents, { activation: 'none' });
  kClose(ranked[0]!.score, 1 / (1 + Math.exp(-raw[0]!.score)));
  assert.equal(await rerank(model, 'Where?', []), []);
  assert.is((await rejection(async () => rerank(await tiny('bert-nli'), 'x', ['y']))).code, 'INVALID_LABEL');
});

const kTasks: Readonly<Record<string, (model: Model) => Promise<unknown>>> = {
  fillMask: (model) => fillMask(model, '[MASK]'),
  classifyText: (model) => classifyText(model, 'x'),
  classifyZeroShot: (model) => classifyZeroShot(model, 'x', ['y']),
  predictNextSentence: (model) => predictNextSentence(model, { text: 'x', textPair: 'y' }),
  multipleChoice: (model) => multipleChoice(model, { text: 'x', choices: ['y'] }),
  detectReplacedTokens: (model) => detectReplacedTokens(model, 'x'),
  recognizeEntities: (model) => recognizeEntities(model, 'x'),
  answerQuestion: (model) => answerQuestion(model, { question: 'x', context: 'y' }),
  rerank: (model) => rerank(model, 'x', ['y']),
};

for (const [name, call] of Object.entries(kTasks)) {
  t(`${name} says which head it needs, and that a model was disposed`, async () => {
    const error = await rejection(async () => call(await tiny('bert-relu')));
    assert.equal([error.code, error.message.includes(name), /received BertModel/.test(error.message)], ['NO_HEAD', true, true]);
    const disposed = await loadModel(golden('tiny/bert-relu'));
    disposed.dispose();
    assert.is((await rejection(() => call(disposed))).code, 'DISPOSED');
    assert.is((await rejection(() => call('model' as unknown as Model))).code, 'INVALID_ARG');
  });
}

t('stops at an aborted signal, before and while it computes', async () => {
  const model = await tiny('bert-sequence-classification');
  const reason = new Error('enough');
  const outcome = (signal: AbortSignal) =>
    classifyText(model, new Array<string>(3000).fill('some words that take a while to read'), { signal }).catch((error: unknown) => error);
  assert.is(await outcome(AbortSignal.abort(reason)), reason);
  const controller = new AbortController();
  const running = outcome(controller.signal);
  setTimeout(() => controller.abort(reason), 5);
  assert.is(await running, reason);
  assert.is((await classifyText(model, 'still works')).labels.length, 1);
});

t('takes thousands of texts, none at all, and empty ones', async () => {
  const model = await tiny('bert-sequence-classification');
  const texts = Array.from({ length: 3000 }, (_, i) => `text ${i % 7}`);
  const results = await classifyText(model, texts, { priority: 'bulk' });
  assert.is(results.length, 3000);
  assert.equal(results[8], results[1]);
  assert.equal(await classifyText(model, []), []);
  assert.is((await classifyText(model, '')).tokens, 2);
  assert.is((await rejection(() => classifyText(model, ['a', 7 as unknown as string]))).code, 'INVALID_ARG');
});

t('reads special tokens inside text as the reference does', async () => {
  const { entities } = await recognizeEntities(await tiny('bert-token-classification'), 'London [SEP] Paris', { ignoreLabels: [] });
  assert.equal(entities.map(({ start, end }) => [start, end]).slice(0, 2), [
    [0, 6],
    [7, 12],
  ]);
});

t.run();
