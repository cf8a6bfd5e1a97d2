import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { detectReplacedTokens, fillMask, loadModel } from '../../src/index.js';
import { electraConfigs } from '../../src/pretraining/replaced-tokens/electra-config.js';
import { ElectraPair } from '../../src/pretraining/replaced-tokens/electra-pair.js';
import { replacedTokens } from '../../src/pretraining/replaced-tokens/replaced-batch.js';
import { sampleWord } from '../../src/pretraining/replaced-tokens/sample-words.js';
import { pretrain, trainWordPiece, type PretrainOptions } from '../../src/pretraining/index.js';
import { philox } from '../../src/training/program/philox.js';
import { rejection, temporaryFolder } from '../support/checkpoint-files.js';
import { drawnWords, electraBatches, electraUpdate, newElectra } from '../support/electra-step.js';
import { suite } from '../support/suite.js';

const t = suite('electra');

const folder = temporaryFolder();
const words = ['the', 'cat', 'dog', 'sat', 'ran', 'on', 'under', 'a', 'mat', 'tree', 'slept', 'jumped'];
const texts = Array.from({ length: 40 }, (_, d) =>
  Array.from({ length: 8 + (d % 9) }, (_, w) => words[(d * 7 + w * (1 + (d % 3))) % 12]).join(' '),
);
const tokenizer = await trainWordPiece(texts.values(), { vocabSize: 60 });
const config = {
  hidden_size: 32,
  embedding_size: 16,
  num_hidden_layers: 2,
  num_attention_heads: 4,
  intermediate_size: 64,
  max_position_embeddings: 64,
};
const options: PretrainOptions = {
  corpus: texts.values(),
  objective: 'replaced-tokens',
  tokenizer,
  config,
  maxLength: 32,
  perDeviceTrainBatchSize: 8,
  learningRate: 1e-3,
  maxSteps: 4,
  saveStrategy: 'no',
  loggingStrategy: 'no',
};
const run = (more: Partial<PretrainOptions>) => pretrain({ ...options, corpus: texts.values(), ...more });

t('a word is the one with the largest logit and Gumbel noise, drawn by the softmax', () => {
  const key = [7, 9] as const;
  const width = 37;
  const logits = Float32Array.from({ length: width }, (_, i) => 3 * Math.sin(i * 1.7));
  const total = logits.reduce((sum, x) => sum + Math.exp(x), 0);
  const counts = new Float64Array(width);
  for (let row = 0; row < 20_000; row++) {
    const drawn = sampleWord(logits, { key, row, microStep: 3 });
    counts[drawn]!++;
    if (row >= 500) continue;
    let [best, expected] = [-Infinity, 0];
    logits.forEach((logit, i) => {
      const u = (philox([i >>> 2, row, 0x6775_6d62, 3], key)[i & 3]! + 0.5) / 2 ** 32;
      const sum = logit - Math.log(-Math.log(u));
      if (sum > best) [best, expected] = [sum, i];
    });
    assert.is(drawn, expected);
  }
  let chi = 0;
  logits.forEach((logit, i) => {
    const expected = (20_000 * Math.exp(logit)) / total;
    chi += (counts[i]! - expected) ** 2 / expected;
  });
  assert.ok(chi < 36 + 4 * Math.sqrt(72), `chi² ${chi}`);
});

t('what the discriminator reads is the text with the drawn words in it', () => {
  const batch = {
    cuSeqlens: Int32Array.of(0, 4, 9),
    inputIds: Int32Array.of(2, 4, 11, 3, 2, 12, 4, 13, 3),
    tokenTypeIds: new Int32Array(9),
    selected: Int32Array.of(1, 1, 2),
    cuSelected: Int32Array.of(0, 1, 3),
    labels: Int32Array.of(10, 12, 14),
  };
  const replaced = replacedTokens(batch, Int32Array.of(10, 20, 21));
  assert.equal([...replaced.inputIds], [2, 10, 11, 3, 2, 20, 21, 13, 3]);
  assert.equal([...replaced.numbers], [0, 0, 0, 0, 0, 1, 1, 0, 0]);
  assert.is(batch.inputIds[1], 4);
});

interface Step {
  readonly words: readonly (readonly number[])[];
  readonly loss: number;
  readonly gradNorm: number;
  readonly expAvg: Readonly<Record<string, { readonly norm: number; readonly first: readonly number[] }>>;
}

t('a step of both models is that of PyTorch in float64', async () => {
  const expected = JSON.parse(readFileSync(new URL('electra-step.json', import.meta.url), 'utf8')) as Step;
  const own = join(folder, 'step');
  const pair = await newElectra(own);
  assert.equal(await drawnWords(pair), expected.words);
  const numItems = [electraBatches.reduce((sum, batch) => sum + batch.numItems[0]!, 0)];
  const { loss, gradNorm } = await pair.step(electraBatches, { ...electraUpdate, numItems });
  assert.ok(Math.abs(loss / expected.loss - 1) < 1e-5, `${loss}`);
  assert.ok(Math.abs(gradNorm / expected.gradNorm - 1) < 1e-5, `${gradNorm}`);
  assert.is(pair.tensors.length, Object.keys(expected.expAvg).length);
  // Gradients were clipped to a norm of 1.
  const global = 1 - electraUpdate.beta1;
  for (const tensor of pair.tensors) {
    const moments = await tensor.read('expAvg');
    const { norm, first } = expected.expAvg[tensor.name]!;
    const allowed = 5e-5 * (norm + 1e-3 * global);
    assert.ok(Math.abs(Math.hypot(...moments) - norm) < allowed, tensor.name);
    first.forEach((value, i) => assert.ok(Math.abs(moments[i]! - value) < allowed, `${tensor.name} ${i}`));
  }
  pair.dispose();
});

t('a step that fails leaves both models as they were', async () => {
  const pair = await newElectra(join(folder, 'failing'));
  const state = async (): Promise<Float32Array[]> => Promise.all(pair.tensors.map((tensor) => tensor.read('value')));
  const before = await state();
  const settings = { ...electraUpdate, numItems: [5] };
  const signal = AbortSignal.abort(new Error('enough'));
  await pair.step(electraBatches, { ...settings, signal }).then(
    () => assert.unreachable(),
    (error: Error) => assert.is(error.message, 'enough'),
  );
  assert.equal(await state(), before);
  const [table] = pair.tensors;
  const values = await table!.read('value');
  await table!.write(
    'value',
    values.map((value, i) => (i >> 3 === 8 ? (i % 2 ? 3e38 : -3e38) : value)),
  );
  assert.is((await rejection(() => pair.step(electraBatches, settings))).code, 'NON_FINITE');
  await table!.write('value', values);
  assert.equal(await state(), before);
  const { loss } = await pair.step(electraBatches, settings);
  assert.ok(Number.isFinite(loss));
  pair.dispose();
});

t('a generator has a share of the heads, and layers as narrow', () => {
  const { discriminator, generator } = electraConfigs({ hidden_size: 256, num_attention_heads: 4, intermediate_size: 1024 }, 0.25);
  assert.equal([generator['hidden_size'], generator['num_attention_heads'], generator['intermediate_size']], [64, 1, 256]);
  assert.is(generator['embedding_size'], discriminator['embedding_size']);
});

t('the pair learns, is saved as two models, goes on to the bit, and keeps one table of embeddings', async () => {
  const outputDir = join(folder, 'whole');
  const { model, metrics } = await run({ outputDir, evalCorpus: texts.values(), corpusFormat: 'documents' });
  model.dispose();
  for (const name of ['mlm_loss', 'replaced_loss', 'replaced_accuracy', 'replaced_precision', 'replaced_recall']) {
    assert.ok(Number.isFinite(metrics[`eval_${name}`]), name);
  }
  const classOf = (directory: string): unknown =>
    (JSON.parse(readFileSync(join(directory, 'config.json'), 'utf8')) as { architectures: unknown[] }).architectures[0];
  assert.is(classOf(outputDir), 'ElectraForPreTraining');
  assert.is(classOf(join(outputDir, 'generator')), 'ElectraForMaskedLM');
  const [discriminator, generator] = [await loadModel(outputDir), await loadModel(join(outputDir, 'generator'))];
  assert.ok((await detectReplacedTokens(discriminator, 'the cat sat on a mat')) !== undefined);
  assert.ok((await fillMask(generator, 'the cat [MASK] on a mat')) !== undefined);
  for (const each of [discriminator, generator]) each.dispose();

  const bytes = (directory: string): Buffer[] =>
    [directory, join(directory, 'generator')].map((each) => readFileSync(join(each, 'model.safetensors')));
  const steps = join(folder, 'steps');
  (await run({ outputDir: steps, saveStrategy: 'steps', saveSteps: 2, threads: 1 })).model.dispose();
  bytes(steps).forEach((each, i) => assert.ok(each.equals(bytes(outputDir)[i]!)));
  (await run({ outputDir: steps, saveStrategy: 'steps', saveSteps: 2, resumeFromCheckpoint: join(steps, 'checkpoint-2') })).model.dispose();
  bytes(steps).forEach((each, i) => assert.ok(each.equals(bytes(outputDir)[i]!), 'resumed'));

  const pair = await ElectraPair.load(outputDir, { seed: 1, discriminatorWeight: 50 });
  const embeddings = (name: string) => pair.tensors.filter((tensor) => tensor.name.startsWith(`${name}.electra.embeddings.`));
  assert.is(embeddings('generator').length, 5);
  for (const [i, tensor] of embeddings('generator').entries()) {
    assert.equal(await tensor.read('value'), await embeddings('discriminator')[i]!.read('value'), tensor.name);
  }
  pair.dispose();
});

t('the discriminator learns which tokens were replaced', async () => {
  const { model, metrics } = await run({ evalCorpus: texts.values(), corpusFormat: 'documents', maxSteps: 60, learningRate: 5e-3 });
  model.dispose();
  const share = metrics['eval_replaced_loss']!;
  assert.ok(share < 0.35 && metrics['eval_mlm_loss']! < Math.log(60) - 1, JSON.stringify(metrics));
});

t('says what is wrong', async () => {
  const refuses = async (code: string, message: RegExp, more: Readonly<Record<string, unknown>>): Promise<void> => {
    const error = await rejection(() => run(more as Partial<PretrainOptions>));
    assert.is(error.code, code);
    assert.match(error.message, message);
  };
  await refuses('INVALID_OPTION', /generatorSize/, { generatorSize: 0 });
  await refuses('INVALID_OPTION', /discriminatorWeight/, { discriminatorWeight: -1 });
  await refuses('INVALID_OPTION', /model_type "electra"/, { config: { ...config, model_type: 'bert' } });
});

t.run();
