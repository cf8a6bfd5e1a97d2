// Which choice fits the text?
//   node examples/tasks/multiple-choice.mjs --model path/to/bert-swag
import { parseArgs } from 'node:util';
import { loadModel, multipleChoice } from 'bertha-encoder';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const model = await loadModel(values.model);
const choices = ['They ran into the house.', 'The library burned down.', 'It costs seven dollars.'];
const { choice, scores } = await multipleChoice(model, { text: 'It started to rain.', choices });
console.log(scores[choice].toFixed(3), choices[choice]);
model.dispose();
