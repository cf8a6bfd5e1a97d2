import * as assert from 'uvu/assert';
import {
  answerQuestion,
  classifyText,
  classifyZeroShot,
  detectReplacedTokens,
  fillMask,
  loadEmbedder,
  loadModel,
  predictNextSentence,
  recognizeEntities,
  rerank,
  sentenceSimilarity,
  type Model,
} from '../../src/index.js';
import { golden } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('how calls read texts');

// Every word is one token. A text of more than the limit, and what is left of it where its beginning is left out.
const limit = 12;
const words = 'you hello the guitar and the band hello you the and guitar the you band hello'.split(' ');
const long = words.join(' ');
const tail = (tokens: number): string => words.slice(-tokens).join(' ');
const left = { maxLength: limit, truncationSide: 'left' } as const;
const whole = { maxLength: limit } as const;

async function on(name: string, work: (model: Model) => Promise<void>): Promise<void> {
  const model = await loadModel(golden('tiny', name));
  try {
    assert.is(model.tokenizer.encode(long).length, words.length + 2);
    await work(model);
  } finally {
    model.dispose();
  }
}

t('truncationSide left keeps the end of a text, in every task', async () => {
  await on('bert-sequence-classification', async (model) => {
    const [cut, expected] = [await classifyText(model, long, left), await classifyText(model, tail(limit - 2), whole)];
    assert.equal([cut.labels, cut.truncated], [expected.labels, true]);
    assert.not.equal((await classifyText(model, long, whole)).labels, expected.labels);
  });
  await on('bert-token-classification', async (model) => {
    const wordsOf = async (text: string, options: object) =>
      (await recognizeEntities(model, [text], { ...options, ignoreLabels: [] }))[0]!.entities.map(({ score, word }) => ({ score, word }));
    assert.equal(await wordsOf(long, left), await wordsOf(tail(limit - 2), whole));
  });
  await on('bert-mlm', async (model) => {
    const scoresOf = async (text: string, options: object) =>
      (await fillMask(model, [`${text} [MASK]`], options))[0]!.masks[0]!.candidates.map(({ score }) => score);
    assert.equal(await scoresOf(long, left), await scoresOf(tail(limit - 3), whole));
  });
  await on('electra-discriminator', async (model) => {
    const scoresOf = async (text: string, options: object) =>
      (await detectReplacedTokens(model, [text], options))[0]!.replacedTokens.map(({ score }) => score);
    assert.equal(await scoresOf(long, left), await scoresOf(tail(limit - 2), whole));
  });
});

t('of a pair, truncationSide left leaves out the beginning of the longer text', async () => {
  await on('bert-cross-encoder', async (model) => {
    const [cut] = await rerank(model, 'hello', [long], left);
    const [expected] = await rerank(model, 'hello', [tail(limit - 4)], whole);
    assert.is(cut!.score, expected!.score);
  });
  await on('bert-nsp', async (model) => {
    const cut = await predictNextSentence(model, { text: 'hello', textPair: long }, left);
    assert.equal(cut, { ...(await predictNextSentence(model, { text: 'hello', textPair: tail(limit - 4) }, whole)), truncated: true });
  });
});

t('windows of long texts are the same whatever the side: nothing of them is left out', async () => {
  await on('bert-token-classification', async (model) => {
    const windows = { maxLength: limit, stride: 2, ignoreLabels: [] };
    assert.equal(
      await recognizeEntities(model, long, { ...windows, truncationSide: 'left' }),
      await recognizeEntities(model, long, windows),
    );
  });
});

t('splitSpecialTokens reads [SEP] in a text as text', async () => {
  const marked = 'hello [SEP] you';
  const plain = { splitSpecialTokens: true } as const;
  const embedder = await loadEmbedder(golden('sentence/normalize'));
  const { ids } = embedder.tokenizer.encode(marked, plain);
  assert.ok(ids.length > embedder.tokenizer.encode(marked).length);
  const [expected] = await embedder.embedIds([ids]);
  assert.equal((await embedder.embed(marked, plain)).vector, expected!.vector);
  assert.equal(embedder.embedSync(marked, plain).vector, expected!.vector);
  assert.not.equal((await embedder.embed(marked)).vector, expected!.vector);
  embedder.dispose();
  await on('bert-sequence-classification', async (model) => {
    assert.ok((await classifyText(model, marked, plain)).tokens > (await classifyText(model, marked)).tokens);
  });
  await on('bert-question-answering', async (model) => {
    const input = { question: 'you', context: marked };
    assert.ok((await answerQuestion(model, input, plain)).tokens > (await answerQuestion(model, input)).tokens);
  });
  await on('bert-nli', async (model) => {
    const [own, split] = [await classifyZeroShot(model, marked, ['band']), await classifyZeroShot(model, marked, ['band'], plain)];
    assert.not.equal(split.scores, own.scores);
  });
});

t('sentenceSimilarity takes a prompt', async () => {
  await on('bert-mlm', async (model) => {
    const prompted = await sentenceSimilarity(model, 'you', ['the band', 'hello'], { prompt: 'guitar ' });
    assert.equal(prompted, await sentenceSimilarity(model, 'guitar you', ['guitar the band', 'guitar hello']));
  });
});

t.run();
