import * as assert from 'uvu/assert';
import { practiceQuestions, shortened } from '../../scripts/weights/data/practice-questions.js';
import { drawnPairs, sentencePairs } from '../../scripts/weights/data/sentence-pairs.js';
import { Random } from '../../src/training/datasets/random.js';
import { suite } from '../support/suite.js';

const test = suite('data of the bundled heads');

/** Articles whose sentences are all different. */
const articles = ['Paris', 'Rome', 'Berlin', 'Oslo'].map((city, i) =>
  Array.from(
    { length: 30 },
    (_, k) => `In ${1900 + k} the mayor of ${city} opened ${k + 2 + i} new bridges, and crowds of cheerful people walked over all of them.`,
  ),
);

test('every second pair is of neighbours, the others of two articles', () => {
  const pairs = sentencePairs(articles, Infinity, 1);
  assert.is(pairs.length, 4 * 29);
  for (const { text, textPair, label } of pairs) {
    const article = articles.find((sentences) => sentences.includes(text))!;
    if (label === 0) assert.is(article[article.indexOf(text) + 1], textPair);
    else assert.not.ok(article.includes(textPair));
  }
  assert.is(pairs.filter(({ label }) => label === 0).length, pairs.length / 2);
});

test('pairs that are drawn come from all places of the articles, each once, by the seed', () => {
  const drawn = drawnPairs(articles, 40, 1);
  assert.equal(drawn, drawnPairs(articles, 40, 1));
  assert.is.not(JSON.stringify(drawn), JSON.stringify(drawnPairs(articles, 40, 2)));
  assert.is(new Set(drawn.map(({ text }) => text)).size, 40);
  const late = drawn.filter(({ text }) => articles.some((sentences) => sentences.indexOf(text) >= 15));
  assert.ok(late.length > 10 && late.length < 30, `${late.length} of the second half`);
});

test('the answer of a made question stands in its passage, and the question does not hold it', () => {
  const rows = practiceQuestions(articles, 100, 1);
  assert.equal(rows, practiceQuestions(articles, 100, 1));
  for (const { question, context, answers } of rows) {
    const [text, start] = [answers.text[0]!, answers.answerStart[0]!];
    assert.ok(context.startsWith(text, start), context);
    assert.match(question, /^(how|when|in what|who|what|which|where) .+\?$/);
    const isYear = /^\d{4}$/.test(text);
    assert.ok(!isYear || /^(when|in what year) /.test(question), question);
    assert.not.ok(isYear && question.includes(text), question);
    const words = context.split(' ').length;
    assert.ok(words >= 60 && words < 60 + 24, `${words} words`);
  }
  assert.ok(new Set(rows.map(({ answers }) => answers.text[0])).size > 20);
});

test('a paragraph is cut to the sentences around the answer', () => {
  const context = articles[0]!.join(' ');
  for (const answer of ['In 1900', 'In 1915', 'In 1929']) {
    const row = { id: '', question: 'When?', context, answers: { text: [answer], answerStart: [context.indexOf(answer)] } };
    const { context: cut, answers } = shortened(row, new Random(1));
    assert.ok(cut.length < context.length / 4 && context.includes(cut));
    assert.is(cut.indexOf(answer), answers.answerStart[0]);
  }
});

test.run();
