// Masked words: a small BERT is made from a configuration and learns 32 sentences from nothing.
//   node examples/training/fill-mask.mjs [--model path/to/bert]
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { fillMask } from 'bertha-encoder';
import { createModel, train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { model: { type: 'string' } } });
const stories = new URL('data/stories.txt', import.meta.url); // a sentence a line
const folder = mkdtempSync(join(tmpdir(), 'bert-'));
const small = join(folder, 'small');
const tokenizer = fileURLToPath(new URL('../../weights/all-MiniLM-L6-v2', import.meta.url));
const config = {
  model_type: 'bert',
  hidden_size: 64,
  num_hidden_layers: 2,
  num_attention_heads: 2,
  intermediate_size: 256,
  hidden_dropout_prob: 0,
  attention_probs_dropout_prob: 0,
};
if (values.model === undefined) await createModel(small, { config, tokenizer });

const { model, metrics } = await train(values.model ?? small, stories, {
  task: 'fill-mask',
  evalDataset: stories,
  numTrainEpochs: 100,
  collator: { mlmProbability: 0.3 },
  learningRate: values.model === undefined ? 4e-3 : 1e-4,
});
console.log(`perplexity ${Math.exp(metrics.eval_loss).toFixed(1)} on the sentences it learned from`);

const { masks } = await fillMask(model, 'The ship left the [MASK] at dawn.', { topK: 3 });
console.log(masks[0].candidates.map(({ tokenStr, score }) => `${tokenStr} ${score.toFixed(2)}`).join(', '));
model.dispose();
rmSync(folder, { recursive: true });
