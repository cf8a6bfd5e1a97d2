// ELECTRA's discriminator marks the words that do not belong.
//   node examples/tasks/replaced-tokens.mjs --model path/to/electra-small-discriminator
import { parseArgs } from 'node:util';
import { detectReplacedTokens, loadModel } from 'bertha-encoder';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const model = await loadModel(values.model);
const { replacedTokens } = await detectReplacedTokens(model, 'The quick brown fox fakes over the lazy dog.');
for (const { token, score, special } of replacedTokens) if (!special) console.log(score.toFixed(3), token);
model.dispose();
