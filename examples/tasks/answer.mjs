// Answers as slices of the text, however long it is.
//   node examples/tasks/answer.mjs --model path/to/bert-squad
import { parseArgs } from 'node:util';
import { answerQuestion, loadModel } from 'bertha-encoder';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const model = await loadModel(values.model);
const context = `${'The museum opens at nine. '.repeat(40)}Alice met Bob in Amsterdam. ${'It closes at half past five. '.repeat(40)}`;
const { answers, windows } = await answerQuestion(model, { question: 'Who met Bob?', context }, { topK: 3 });
console.log(`read in ${windows} windows`);
for (const { answer, score, start, end } of answers)
  console.log(score.toFixed(4), start, end, answer === context.slice(start, end), answer);
model.dispose();
