// ELECTRA's task: which words were replaced? A small ELECTRA is made from a configuration and learns from the stories.
//   node examples/training/replaced-tokens.mjs [--model path/to/electra-small-discriminator]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { detectReplacedTokens } from 'bertha-encoder';
import { createModel, train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const folder = mkdtempSync(join(tmpdir(), 'electra-'));
const start = values.model ?? join(folder, 'start');
if (values.model === undefined) {
  const tokenizer = fileURLToPath(new URL('../../weights/all-MiniLM-L6-v2', import.meta.url));
  const config = {
    model_type: 'electra',
    embedding_size: 64,
    hidden_size: 64,
    num_hidden_layers: 2,
    num_attention_heads: 2,
    intermediate_size: 256,
  };
  await createModel(start, { config, tokenizer });
}

const { model, metrics } = await train(start, new URL('data/stories.txt', import.meta.url), {
  task: 'replaced-token',
  evalDataset: new URL('data/stories.txt', import.meta.url),
  numTrainEpochs: 60,
  learningRate: values.model === undefined ? 3e-3 : 1e-4,
});
console.log(`accuracy ${metrics.eval_accuracy.toFixed(2)}, f1 ${metrics.eval_f1.toFixed(2)} on words that were replaced at random`);

const { replacedTokens } = await detectReplacedTokens(model, 'The ship left the algebra at dawn.');
for (const { token, score, special } of replacedTokens) if (!special) console.log(score.toFixed(2), token);
model.dispose();
rmSync(folder, { recursive: true });
