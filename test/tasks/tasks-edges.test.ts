import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import {
  answerQuestion,
  classifyText,
  classifyZeroShot,
  detectReplacedTokens,
  extractFeatures,
  fillMask,
  loadModel,
  multipleChoice,
  predictNextSentence,
  recognizeEntities,
  rerank,
  sentenceSimilarity,
  type Model,
} from '../../src/index.js';
import { golden, tinyCopy } from '../support/checkpoint-files.js';
import { instructionSet } from '../support/devices.js';
import { isFull } from '../support/full.js';
import { skip } from '../support/skip.js';

const t = suite(`tasks at their edges ${instructionSet}`);

t('fills a mask with ids that have no token, as rows to spare do', async () => {
  const whole = await loadModel(golden('tiny/bert-mlm'));
  const folder = tinyCopy('bert-mlm');
  rmSync(`${folder}/tokenizer.json`);
  const words = readFileSync(`${folder}/vocab.txt`, 'utf8').trimEnd().split('\n');
  const kept = words.length - 300;
  writeFileSync(`${folder}/vocab.txt`, `${words.slice(0, kept).join('\n')}\n`);
  const padded = await loadModel(folder);
  for (const [text, topK] of [
    ['it was [MASK].', 100],
    ['it was [MASK].', words.length],
    ['[MASK] was [MASK].', 300],
  ] as const) {
    const [expected, actual] = [await fillMask(whole, text, { topK }), await fillMask(padded, text, { topK })];
    for (const [m, { candidates }] of actual.masks.entries()) {
      assert.is(candidates.length, Math.min(topK, words.length));
      let spare = 0;
      candidates.forEach(({ token, score, tokenStr, sequence }, i) => {
        const other = expected.masks[m]!.candidates[i]!;
        assert.equal([token, score], [other.token, other.score]);
        if (token < kept) assert.equal([tokenStr, sequence], [other.tokenStr, other.sequence]);
        else if (++spare) assert.equal([tokenStr, sequence], ['', actual.masks.length === 1 ? 'it was.' : sequence]);
      });
      assert.ok(spare > 0);
    }
  }
  whole.dispose();
  padded.dispose();
});

const kMany = 140_000;
/** More arguments than a call can have: every task must work through them one by one. */
const kManyTexts = new Array<string>(kMany).fill('a');
/** Those that every run tries; a run with BERTHA_TEST_FULL=1 tries all. */
const kSampled = new Set(['sentenceSimilarity', 'classifyZeroShot', 'multipleChoice', 'answerQuestion']);
const kManyTasks: readonly (readonly [task: string, model: string, run: (model: Model) => Promise<number>])[] = [
  ['extractFeatures', 'bert-base-noprefix', async (model) => (await extractFeatures(model, kManyTexts, { pooling: 'mean' })).dims[0]!],
  ['sentenceSimilarity', 'bert-base-noprefix', async (model) => (await sentenceSimilarity(model, 'b', kManyTexts)).length],
  ['classifyText', 'bert-nli', async (model) => (await classifyText(model, kManyTexts)).length],
  ['rerank', 'bert-cross-encoder', async (model) => (await rerank(model, 'b', kManyTexts)).length],
  ['fillMask', 'bert-mlm', async (model) => (await fillMask(model, new Array<string>(kMany).fill('[MASK]'), { topK: 1 })).length],
  ['classifyZeroShot', 'bert-nli', async (model) => (await classifyZeroShot(model, 'b', kManyTexts)).labels.length],
  ['recognizeEntities', 'bert-token-classification', async (model) => (await recognizeEntities(model, kManyTexts)).length],
  [
    'multipleChoice',
    'bert-multiple-choice',
    async (model) => (await multipleChoice(model, { text: 'b', choices: kManyTexts })).scores.length,
  ],
  [
    'answerQuestion',
    'bert-question-answering',
    async (model) => (await answerQuestion(model, new Array(kMany).fill({ question: 'a', context: 'b' }))).length,
  ],
  [
    'predictNextSentence',
    'bert-nsp',
    async (model) => (await predictNextSentence(model, new Array(kMany).fill({ text: 'a', textPair: 'b' }))).length,
  ],
  ['detectReplacedTokens', 'electra-discriminator', async (model) => (await detectReplacedTokens(model, kManyTexts)).length],
];

for (const [task, name, run] of kManyTasks) {
  t(`${task} takes a list of ${kMany} texts`, async () => {
    if (!isFull && !kSampled.has(task)) return skip('only with BERTHA_TEST_FULL=1');
    const model = await loadModel(golden('tiny', name));
    assert.is(await run(model), kMany);
    model.dispose();
  });
}

t.run();
