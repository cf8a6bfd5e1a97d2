// The hidden state of a sentence, under the names of transformers.
//   node examples/tasks/hidden-state.mjs --model path/to/bert-base-uncased
import { parseArgs } from 'node:util';
import { BertModel, BertTokenizer } from 'bertha-encoder';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const tokenizer = await BertTokenizer.from_pretrained(values.model);
const model = await BertModel.from_pretrained(values.model);

const encodedInput = tokenizer('Replace me by any text you like.');
const output = await model({ ...encodedInput, output_hidden_states: true });

console.log('last_hidden_state', output.last_hidden_state.dims);
console.log('pooler_output', output.pooler_output?.dims);
console.log('hidden_states', output.hidden_states.length);
console.log('first numbers', Array.from(output.last_hidden_state.data.subarray(0, 4), (x) => x.toFixed(4)).join(' '));
await model.dispose();
