// Chinese texts and labels → tokenize → train three epochs with warm-up and weight decay → evaluate → save → load → predict.
//   node examples/training/chinese-classifier.mjs [--model path/to/bert-base-chinese] [--output DIRECTORY]
// Without a model, a small BERT over bert-base-chinese's vocabulary is made from a configuration; it knows nothing but these reviews.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { classifyText, loadModel, loadTokenizer } from 'bertha-encoder';
import { createModel, evaluateModel, train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' }, output: { type: 'string' } } });
const temporary = mkdtempSync(join(tmpdir(), 'chinese-'));
const outputDir = values.output ?? join(temporary, 'classifier');
const data = fileURLToPath(new URL('data/chinese', import.meta.url));

// Texts and labels; every sixth review is kept for the test.
const lines = readFileSync(join(data, 'reviews.tsv'), 'utf8').trim().split('\n').slice(1);
const rows = lines.map((line) => line.split('\t')).map(([text, label]) => ({ text, label }));
const isTest = (i) => i % 6 === 5;
const [trainRows, testRows] = [false, true].map((wanted) => rows.filter((_, i) => isTest(i) === wanted));

let start = values.model;
if (start === undefined) {
  start = join(temporary, 'small-bert');
  const config = { model_type: 'bert', hidden_size: 128, num_hidden_layers: 2, num_attention_heads: 2, intermediate_size: 512 };
  await createModel(start, { config, tokenizer: data });
}

// What the model reads of a text.
const tokenizer = await loadTokenizer(start);
const { tokens, ids } = tokenizer.encode(rows[0].text);
console.log(tokens.join(' '));
console.log(Array.from(ids).join(' '));

const { model } = await train(start, trainRows, {
  task: 'text-classification',
  numTrainEpochs: 3,
  perDeviceTrainBatchSize: 4,
  learningRate: values.model === undefined ? 3e-3 : 5e-5,
  warmupSteps: 0.1, // a tenth of all steps
  weightDecay: 0.01,
  collator: { maxLength: 128 },
  saveStrategy: 'no',
  outputDir, // the trained model is saved here
});
const { metrics } = await evaluateModel(model, 'text-classification', testRows);
console.log(
  `accuracy ${metrics.accuracy.toFixed(2)}, f1 ${metrics.f1.toFixed(2)} on ${testRows.length} reviews that it did not learn from`,
);
model.dispose();

const loaded = await loadModel(outputDir);
for (const text of ['味道不错，送得很快，推荐。', '太难吃了，非常失望。']) {
  const { labels } = await classifyText(loaded, text);
  console.log(`${labels[0].label} ${labels[0].score.toFixed(2)} ${text}`);
}
loaded.dispose();
rmSync(temporary, { recursive: true });
