// A small translator from English to German, from nothing: a vocabulary, an encoder and a decoder learn from 100 sentences, ten subjects that do twelve things.
// Printed are twenty sentences that were not learned: their words were, in other sentences. For a language in earnest take millions of pairs, or a model that has them.
//   node examples/training/translate.mjs [--output DIRECTORY]
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { translate } from 'bertha-encoder';
import { trainWordPiece } from 'bertha-encoder/pretraining';
import { createModel, evaluateModel, train } from 'bertha-encoder/training';

const { values } = parseArgs({ options: { output: { type: 'string' } } });
const temporary = mkdtempSync(join(tmpdir(), 'translate-'));
const lines = readFileSync(new URL('data/translations.csv', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .slice(1);
const rows = lines.map((line) => line.split(',')).map(([source, target]) => ({ source, target }));
const isHeldOut = (i) => (Math.floor(i / 12) + (i % 12)) % 6 === 0;
const [learned, heldOut] = [false, true].map((wanted) => rows.filter((_, i) => isHeldOut(i) === wanted));

const tokenizer = join(temporary, 'tokenizer');
const texts = learned.flatMap(({ source, target }) => [source, target]);
await (await trainWordPiece(texts.values(), { vocabSize: 500, lowercase: false })).save(tokenizer);
const half = { hidden_size: 128, num_hidden_layers: 1, num_attention_heads: 4, intermediate_size: 256, max_position_embeddings: 64 };
const start = join(temporary, 'start');
await createModel(start, { config: { model_type: 'encoder-decoder', encoder: half, decoder: half }, tokenizer });

const { model } = await train(start, learned, {
  task: 'translation',
  numTrainEpochs: 40,
  perDeviceTrainBatchSize: 10,
  learningRate: 2e-3,
  warmupSteps: 0.1, // a tenth of all steps
  labelSmoothingFactor: 0.1,
  saveStrategy: 'no',
  outputDir: values.output ?? join(temporary, 'translator'), // the trained model is saved here
});
const { metrics } = await evaluateModel(model, 'translation', heldOut, { generation: { numBeams: 4, maxNewTokens: 30 } });
const [bleu, chrf] = [metrics.bleu.toFixed(1), metrics.chrf.toFixed(1)];
console.log(
  `BLEU ${bleu}, chrF ${chrf}, ${Math.round(metrics.exact_match * heldOut.length)} of ${heldOut.length} new sentences to the letter`,
);
for (const { source } of heldOut.slice(0, 3)) {
  const { text } = await translate(model, source, { numBeams: 4, maxNewTokens: 30 });
  console.log(`${source} → ${text}`);
}
model.dispose();
rmSync(temporary, { recursive: true });
