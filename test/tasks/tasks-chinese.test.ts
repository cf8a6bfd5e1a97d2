import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import {
  answerQuestion,
  chunkText,
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
import { golden } from '../support/checkpoint-files.js';
import { instructionSet } from '../support/devices.js';

const t = suite(`tasks in Chinese ${instructionSet}`);
const kText = '我在北京工作，𠀀天气很好。';
/** Every character is a token of its own; one of them is two UTF-16 units. */
const kPlaces = [...kText].map((character, i, all) => [
  all.slice(0, i).join('').length,
  all.slice(0, i).join('').length + character.length,
]);

async function on<T>(name: string, work: (model: Model) => Promise<T>): Promise<T> {
  const model = await loadModel(golden('tiny', name));
  try {
    return await work(model);
  } finally {
    model.dispose();
  }
}

t('fills a mask between characters', async () => {
  const { masks } = await on('bert-chinese', (model) => fillMask(model, '我在[MASK]京工作。', { targets: ['北', '我'] }));
  assert.is(masks[0]!.position, 3);
  const filled = masks[0]!.candidates.find(({ tokenStr }) => tokenStr === '北')!;
  assert.is(filled.sequence.replaceAll(' ', ''), '我在北京工作。');
});

t('places entities and tokens by character', async () => {
  const { entities } = await on('bert-token-classification', (model) => recognizeEntities(model, kText, { ignoreLabels: [] }));
  assert.equal(
    entities.map(({ start, end }) => [start, end]),
    kPlaces,
  );
  const { replacedTokens } = await on('electra-discriminator', (model) => detectReplacedTokens(model, kText));
  assert.equal(
    replacedTokens.slice(1, -1).map(({ start, end }) => [start, end]),
    kPlaces,
  );
});

t('answers with a slice of the text', async () => {
  const { answers } = await on('bert-question-answering', (model) =>
    answerQuestion(model, { question: '我在哪里工作？', context: kText.repeat(30) }, { topK: 5 }),
  );
  assert.is(answers.length, 5);
  for (const { answer, start, end } of answers) {
    assert.is(answer, kText.repeat(30).slice(start, end));
    assert.ok(answer.isWellFormed?.() ?? true);
  }
});

t('judges texts, pairs, choices and documents', async () => {
  assert.is((await on('bert-sequence-classification', (model) => classifyText(model, kText))).tokens, kPlaces.length + 2);
  const { labels } = await on('bert-nli', (model) =>
    classifyZeroShot(model, kText, ['天气', '体育'], { hypothesisTemplate: '这是关于{}的。' }),
  );
  assert.equal([...labels].sort(), ['体育', '天气']);
  const { isNext, notNext } = await on('bert-nsp', (model) => predictNextSentence(model, { text: kText, textPair: '他也在。' }));
  assert.ok(Math.abs(isNext + notNext - 1) < 1e-6);
  assert.is(
    (await on('bert-multiple-choice', (model) => multipleChoice(model, { text: kText, choices: ['好', '不好'] }))).scores.length,
    2,
  );
  assert.is((await on('bert-cross-encoder', (model) => rerank(model, '天气怎么样？', [kText, '我']))).length, 2);
});

t('cuts chunks between characters', async () => {
  const chunks = await on('bert-chinese', (model) => chunkText(model, kText, { maxTokens: 7 }));
  assert.is(chunks.map(({ text }) => text).join(''), kText);
});

t.run();
