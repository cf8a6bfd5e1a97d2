// Summarizes a text, and says what became of its end.
//   node examples/generation/summarize.mjs --model path/to/bert2bert_cnn_daily_mail article.txt
import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { loadModel, summarize } from 'bertha-encoder';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { model: { type: 'string' } } });
const model = await loadModel(values.model);
const { text, score, finishReason, tokens, truncated } = await summarize(model, await readFile(positionals[0], 'utf8'));
console.log(text);
console.log(`${finishReason}, score ${score.toFixed(4)}, ${tokens} tokens read${truncated ? ', the rest was cut off' : ''}`);
model.dispose();
