import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { openModelDirectory } from '../../src/models/model-directory.js';
import { loadModel } from '../../src/models/model.js';
import { createModel } from '../../src/training/index.js';
import { golden } from '../support/checkpoint-files.js';
import { rejectionCode } from '../support/fake-trainable.js';
import { suite } from '../support/suite.js';

const t = suite('create model');
const folder = mkdtempSync(join(tmpdir(), 'bertha-create-'));
t.after(() => rmSync(folder, { recursive: true, force: true }));

/** Each family's own golden directory tells which tensors its encoder has. */
const families = {
  'bert-base-noprefix': 'bert',
  'distilbert-mlm': 'distilbert',
  'electra-discriminator': 'electra',
  'mpnet-base': 'mpnet',
};

for (const [name, family] of Object.entries(families)) {
  t(`a ${family} of the sizes of ${name} has the tensors of its encoder, and computes`, async () => {
    const source = golden('tiny', name);
    const config = JSON.parse(readFileSync(join(source, 'config.json'), 'utf8')) as Record<string, unknown>;
    const directory = join(folder, family);
    await createModel(directory, { config, tokenizer: source });
    const [made, known] = [await openModelDirectory(directory), await openModelDirectory(source)];
    const shapes = (tensors: typeof made.tensors) => new Map([...tensors.values()].map((each) => [each.name, each.shape.join(', ')]));
    const theirs = shapes(known.tensors);
    for (const [tensor, shape] of shapes(made.tensors)) {
      assert.is(theirs.get(tensor) ?? theirs.get(`${family}.${tensor}`), shape, tensor);
    }
    const missing = [...theirs.keys()].filter((tensor) => {
      const isHead = /^(cls|vocab_|discriminator_|generator_|classifier)/.test(tensor);
      return !isHead && !tensor.endsWith('position_ids') && !made.tensors.has(tensor.replace(`${family}.`, ''));
    });
    assert.equal(missing, []);
    for (const each of [made, known]) await each.close();
    const model = await loadModel(directory);
    const { lastHiddenState } = await model.forward(model.tokenizer.encode('new words'));
    assert.ok(lastHiddenState.data.every(Number.isFinite));
    model.dispose();
  });
}

t('numbers are those of the seed, N(0, initializer_range), with a row of zeros for padding', async () => {
  const tokenizer = golden('tiny', 'bert-chinese');
  const config = { hidden_size: 64, num_hidden_layers: 1, num_attention_heads: 2, intermediate_size: 96, initializer_range: 0.1 };
  const make = async (name: string, seed?: number) => {
    await createModel(join(folder, name), { config, tokenizer, seed });
    return readFileSync(join(folder, name, 'model.safetensors'));
  };
  assert.ok((await make('a')).equals(await make('b', 42)));
  assert.not.ok((await make('c', 43)).equals(readFileSync(join(folder, 'a/model.safetensors'))));
  const opened = await openModelDirectory(join(folder, 'a'));
  const words = opened.tensors.get('embeddings.word_embeddings.weight')!;
  assert.equal(words.shape, [opened.config.vocabSize, 64]);
  const values = await words.file.readFloat32(words.name);
  await opened.close();
  const padding = opened.config.padTokenId! * 64;
  assert.ok(values.subarray(padding, padding + 64).every((value) => value === 0));
  const deviation = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / (values.length - 64));
  assert.ok(Math.abs(deviation - 0.1) < 0.1 * (4 / Math.sqrt(2 * values.length)), String(deviation));
});

t('what cannot be made is refused, and nothing is written over', async () => {
  const tokenizer = golden('tiny', 'bert-chinese');
  const made = (config: object, place = 'none') => createModel(join(folder, place), { config: { ...config }, tokenizer });
  assert.is(await rejectionCode(made({ vocab_size: 10 })), 'INVALID_OPTION');
  assert.is(await rejectionCode(made({ model_type: 'gpt2' })), 'CONFIG_UNSUPPORTED');
  assert.is(await rejectionCode(made({ hidden_size: 65, num_attention_heads: 2 })), 'CONFIG');
  assert.is(await rejectionCode(made({}, 'a')), 'IO');
  assert.is(await rejectionCode(createModel(join(folder, 'none'), { config: {}, tokenizer: folder })), 'TOKENIZER');
});

t.run();
