// Answers within texts, from a file in the form of SQuAD:
//   node examples/training/qa.mjs [--model path/to/bert]
// Fifteen questions teach a model to point, not to read: with SQuAD's 87,599 in their place the lines are the same.
import { parseArgs } from 'node:util';
import { answerQuestion } from 'bertha-encoder';
import { evaluateModel, train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const questions = new URL('data/questions.json', import.meta.url);
const { model } = await train(values.model, questions, {
  task: 'question-answering',
  numTrainEpochs: 14,
  perDeviceTrainBatchSize: 5,
  learningRate: 5e-4,
});
const { metrics } = await evaluateModel(model, 'question-answering', questions);
console.log(`exact match ${metrics.exact_match.toFixed(2)}, f1 ${metrics.f1.toFixed(2)} on the questions it learned from`);

const context = 'The lighthouse on Gull Rock was built in 1874 by the engineer Martha Quill. It is 31 metres high and stands on granite.';
for (const question of ['Who was the engineer?', 'In which year was it built?']) {
  const { answers } = await answerQuestion(model, { question, context });
  console.log(`${question} ${answers[0].answer}`);
}
model.dispose();
