// The right one of several choices:
//   node examples/training/multiple-choice.mjs [--model path/to/bert]
import { parseArgs } from 'node:util';
import { multipleChoice } from 'bertha-encoder';
import { evaluateModel, train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const questions = new URL('data/choices.jsonl', import.meta.url); // { "question": …, "choices": [ …, …, … ], "label": 0 } a line
const { model } = await train(values.model, questions, {
  task: 'multiple-choice',
  numTrainEpochs: 8,
  learningRate: 2e-4,
});
const { metrics } = await evaluateModel(model, 'multiple-choice', questions);
console.log(`accuracy ${metrics.accuracy.toFixed(2)} on the questions it learned from`);

const choices = ['a drum', 'a blanket', 'an umbrella'];
const { choice, scores } = await multipleChoice(model, { text: 'What keeps you dry in the rain?', choices });
console.log(scores[choice].toFixed(2), choices[choice]);
model.dispose();
