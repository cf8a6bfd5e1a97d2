// A masked model fills several masks so that they fit together, and tells which of two texts reads better.
//   node examples/generation/masked.mjs --model path/to/bert-base-uncased
import { parseArgs } from 'node:util';
import { fillMasks, loadModel, pseudoLogLikelihood } from 'bertha-encoder';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const model = await loadModel(values.model);
const text = 'The [MASK] [MASK] met [MASK] in Paris.';
console.log('mask-predict:', (await fillMasks(model, text, { iterations: 10 })).text);
console.log('gibbs:', (await fillMasks(model, text, { method: 'gibbs', sweeps: 10, seed: 7, topK: 20 })).text);

for (const { logLikelihood, scores } of await pseudoLogLikelihood(model, ['She has eaten.', 'She have eaten.']))
  console.log(logLikelihood.toFixed(4), scores.map(({ token }) => token).join(' '));
model.dispose();
