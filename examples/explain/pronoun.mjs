// Whom does "it" mean? What the heads of each layer read from the pronoun, by the norms of what they hand on.
//   node examples/explain/pronoun.mjs [TEXT] [--pronoun it] [--model DIRECTORY]
// Attention shows where heads read, not why a model answers.
import { parseArgs } from 'node:util';
import { loadModel } from 'bertha-encoder';
import { attention } from 'bertha-encoder/explain';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { model: { type: 'string' }, pronoun: { type: 'string', default: 'it' } },
});
const text = positionals[0] ?? 'The animal did not cross the street because it was too tired.';
const model = await loadModel(values.model);
const { tokens, layers, heads, weights } = await attention(model, text, { weights: 'norm' });
const from = tokens.findIndex(({ token }) => token === values.pronoun);
if (from < 0) throw new Error(`"${values.pronoun}" is no token of the text`);
console.log(`what ${values.pronoun} reads, by layer: the head that hands most of one word on`);
for (const [l, { data }] of weights.entries()) {
  let best = { value: 0, head: 0, to: 0 };
  for (const [h, head] of heads.entries()) {
    for (const [to, { special }] of tokens.entries()) {
      const value = data[(h * tokens.length + from) * tokens.length + to];
      if (!special && to !== from && value > best.value) best = { value, head, to };
    }
  }
  console.log(`layer ${layers[l]}, head ${best.head}: ${tokens[best.to].token} ${best.value.toFixed(2)}`);
}
model.dispose();
