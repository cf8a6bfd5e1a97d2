// The program most people meet BERT with, line by line: which word is behind the mask?
//   node examples/tasks/masked-capital.mjs --model path/to/bert-base-uncased
import { parseArgs } from 'node:util';
import { AutoTokenizer, BertForMaskedLM } from 'bertha-encoder';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const tokenizer = await AutoTokenizer.from_pretrained(values.model);
const model = await BertForMaskedLM.from_pretrained(values.model);

const inputs = tokenizer('The capital of France is [MASK].');
const { logits } = await model(inputs); // [1, tokens, vocab]

const position = inputs.input_ids.data.indexOf(tokenizer.mask_token_id);
const vocab = logits.dims[2];
const row = logits.data.subarray(position * vocab, (position + 1) * vocab);
const best = row.indexOf(row.reduce((a, b) => Math.max(a, b)));
console.log(tokenizer.decode([best]));
await model.dispose();
