// Why are two sentences similar? What each word adds to the cosine, and the pairs of words that it comes from.
//   node examples/explain/similar.mjs [FIRST SECOND] [--model DIRECTORY]
import { parseArgs } from 'node:util';
import { loadEmbedder } from 'bertha-encoder';
import { explainSimilarity } from 'bertha-encoder/explain';

const { values, positionals } = parseArgs({ allowPositionals: true, options: { model: { type: 'string' } } });
const [first = 'How do I reset my password?', second = 'I forgot the code to log in.'] = positionals;
const embedder = await loadEmbedder(values.model);
const { cosine, a, b, map, tokensA, tokensB, additive } = await explainSimilarity(embedder, first, second);
console.log(`cosine ${cosine.toFixed(3)}`);
for (const { text, attributions } of [a, b]) {
  console.log(text);
  for (const { text: word, value } of attributions) console.log(`  ${value < 0 ? '' : '+'}${value.toFixed(3)} ${word}`);
}
const pairs = Array.from(map.data, (value, i) => ({ value, from: tokensA[Math.floor(i / map.dims[1])], to: tokensB[i % map.dims[1]] }));
const best = pairs.filter(({ from, to }) => !from.special && !to.special).sort((x, y) => y.value - x.value);
console.log(additive ? 'pairs that add most to it' : 'pairs that are most alike');
for (const { value, from, to } of best.slice(0, 5)) console.log(`  ${value.toFixed(4)} ${from.token} ${to.token}`);
embedder.dispose();
