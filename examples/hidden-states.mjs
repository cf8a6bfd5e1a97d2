// What the model itself computes: a vector for each token, and which tokens each one looked at.
import { loadModel } from 'bertha-encoder';

const model = await loadModel();
const encoding = model.tokenizer.encode('The bank of the river.', { offsets: true });
const { lastHiddenState, hiddenStates, attentions } = await model.forward(encoding, { hiddenStates: true, attentions: true });

console.log('tokens', encoding.tokens.join(' '));
console.log('last hidden state', lastHiddenState.dims);
console.log('layers', hiddenStates.length - 1);

const [heads, length] = attentions.at(-1).dims;
const bank = encoding.tokens.indexOf('bank');
const weights = encoding.tokens.map((_, key) => {
  let sum = 0;
  for (let head = 0; head < heads; head++) sum += attentions.at(-1).data[(head * length + bank) * length + key];
  return sum / heads;
});
const strongest = weights.indexOf(Math.max(...weights));
console.log(`in the last layer "bank" looks most at "${encoding.tokens[strongest]}"`);
model.dispose();
