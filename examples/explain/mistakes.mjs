// What a sentiment classifier gets wrong, and which words led it there.
//   node examples/explain/mistakes.mjs [REVIEWS.jsonl] [--model DIRECTORY]
// Lines are {"text", "label"} with the model's labels. Without a model the bundled one answers with its sentiment head.
import { readFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadModel } from 'bertha-encoder';
import { explainErrors } from 'bertha-encoder/explain';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { model: { type: 'string' } } });
const reviews = [
  ['A warm and funny film.', 'positive'],
  ['Dull from the first minute to the last.', 'negative'],
  ['You would be mad to miss it.', 'positive'],
  ['Not bad at all, and the ending is no disaster either.', 'positive'],
  ['The best thing about it is that it ends.', 'negative'],
  ['I wanted to love it. I wanted my money back.', 'negative'],
  ['Terribly good: it made me weep with joy.', 'positive'],
  ['A masterpiece, says its own poster, and nobody else.', 'negative'],
];
const lines =
  positionals[0] &&
  readFileSync(positionals[0], 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
const rows = lines ? lines.map(({ text, label }) => [text, label]) : reviews;
const model = await loadModel(values.model, values.model === undefined ? { task: 'text-classification' } : {});
const names = model.config.id2label;
const nameOf = (label) => names.find((name) => name.toLowerCase() === String(label).toLowerCase()) ?? names[Number(label)];
const { accuracy, worst, words } = await explainErrors(
  model,
  rows.map(([text]) => text),
  rows.map(([, label]) => nameOf(label)),
);
console.log(`${(100 * accuracy).toFixed(0)} % of ${rows.length} right`);
for (const { label, texts } of worst) {
  for (const { text, predicted, probability, attribution } of texts) {
    console.log(`\n${label}, taken for ${predicted} (${(100 * probability).toFixed(1)} % for ${label}): ${text}`);
    const most = [...(attribution?.attributions ?? [])].sort((a, b) => b.value - a.value).slice(0, 3);
    console.log(`  ${most.map((word) => `${word.text} ${word.value.toFixed(2)}`).join(', ')}`);
  }
}
console.log(
  `\nwords that led astray: ${words
    .slice(0, 5)
    .map(({ word }) => word)
    .join(', ')}`,
);
model.dispose();
