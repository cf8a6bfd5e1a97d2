import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { answerQuestion, loadModel, pipeline, type PipelineCalls } from '../../src/index.js';
import { golden, rejection } from '../support/checkpoint-files.js';
import { instructionSet } from '../support/devices.js';

const t = suite(`answers ${instructionSet}`);

type Expected = readonly (readonly [answer: string, start: number, end: number, score: number])[];

/** `pipeline("question-answering")` of transformers 4.57.6 in float64: question, context, options, answers. */
const kCases: readonly (readonly [string, string, Parameters<PipelineCalls['question-answering']>[2], Expected])[] = [
  ['Who met Bob?', 'Alice met Bob in Amsterdam, where Bob and Alice worked.', {}, [['met Bob', 6, 13, 0.033760631923777665]]],
  ['Where?', 'unbelievably reprogrammability tokenizations', {}, [['reprogrammability tokenizations', 13, 44, 0.07630798653583142]]],
  ['Who met Bob?', 'Bob Bob Bob Bob', {}, [['Bob', 4, 7, 0.27572597464325704]]],
  [
    'Who met Bob?',
    'Bob bob BOB and bOb',
    { top_k: 3 },
    [
      ['bOb', 16, 19, 0.16842615144067075],
      ['bob BOB and bOb', 4, 19, 0.11231405349540383],
      ['and bOb', 12, 19, 0.06064605449336437],
    ],
  ],
  [
    'Where?',
    'unbelievably reprogrammability tokenizations',
    { top_k: 4, max_answer_len: 5 },
    [
      ['tokenizations', 31, 44, 0.05764909933749493],
      ['reprogrammability tokenizations', 13, 44, 0.04922616383424922],
      ['unbelievably', 0, 12, 0.04761152769381691],
      ['unbelievably reprogrammability', 0, 30, 0.034193699809327564],
    ],
  ],
  [
    'Who met Bob?',
    'Alice met Bob. Alice met Bob. Alice met Bob. Alice met Bob. Alice met Bob. Alice met Bob. Alice met Bob. Alice met Bob. ',
    { top_k: 2, max_seq_len: 24, doc_stride: 5 },
    [
      ['.', 13, 14, 0.06289702228031985],
      ['met Bob', 6, 13, 0.05161891130526508],
    ],
  ],
  [
    'Who met Bob?',
    'Alice met Bob. Bob left.',
    { align_to_words: false, top_k: 3 },
    [
      ['met Bob', 6, 13, 0.07552496531705175],
      ['met Bob. Bob', 6, 18, 0.026081376104438055],
      ['met Bob.', 6, 14, 0.02393607686109809],
    ],
  ],
  [
    'Where?',
    'Bob Bob Bob',
    { handle_impossible_answer: true, top_k: 2 },
    [
      ['Bob', 0, 3, 0.25512701057066206],
      ['Bob Bob', 0, 7, 0.13815715364973422],
    ],
  ],
];

for (const [question, context, options, expected] of kCases) {
  t(`adds up the scores of equal answers: ${question} ${context.slice(0, 60)} ${JSON.stringify(options)}`, async () => {
    const ask = await pipeline('question-answering', golden('tiny/bert-question-answering'));
    const answers = [await ask(question, context, options)].flat(2);
    assert.equal(
      answers.map(({ answer, start, end }) => [answer, start, end]),
      expected.map(([answer, start, end]) => [answer, start, end]),
    );
    answers.forEach(({ score }, i) => assert.ok(Math.abs(score - expected[i]![3]) < 1e-5, `${score}, expected ${expected[i]![3]}`));
    await ask.dispose();
  });
}

t('lists every slice with its best score where it is told to', async () => {
  const model = await loadModel(golden('tiny/bert-question-answering'));
  const input = { question: 'Who met Bob?', context: 'Bob Bob Bob Bob' };
  const { answers } = await answerQuestion(model, input, { topK: 20, equalAnswers: 'best' });
  assert.is(new Set(answers.map(({ start, end }) => `${start} ${end}`)).size, answers.length);
  assert.is(answers.length, 10);
  const single = answers.filter(({ answer }) => answer === 'Bob');
  assert.is(single.length, 4);
  const [summed] = (await answerQuestion(model, input, { topK: 20 })).answers.filter(({ answer }) => answer === 'Bob');
  assert.ok(Math.abs(summed!.score - single.reduce((sum, { score }) => sum + score, 0)) < 1e-12);
  const unknown = await rejection(() => answerQuestion(model, input, { equalAnswers: 'mean' as 'sum' }));
  assert.is(unknown.code, 'INVALID_OPTION');
  model.dispose();
});

t.run();
