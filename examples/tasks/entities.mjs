// Entities of a text of any length, with their exact places in it.
//   node examples/tasks/entities.mjs [--model path/to/bert-base-NER]
import { parseArgs } from 'node:util';
import { loadModel, recognizeEntities } from 'bertha-encoder';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
// Without --model: the bundled model with its head for this.
const model = await loadModel(values.model, values.model === undefined ? { task: 'token-classification' } : {});
const text = 'Alice met Bob in Amsterdam 😀, where they both worked for Acme Corporation. '.repeat(12);
const { entities, windows } = await recognizeEntities(model, text, { aggregationStrategy: 'first', stride: 16 });
console.log(`${entities.length} entities in ${windows} windows`);
for (const { entityGroup, start, end } of entities.slice(0, 4)) console.log(entityGroup, start, end, text.slice(start, end));
model.dispose();
