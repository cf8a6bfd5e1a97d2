import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { fuzz } from '../fuzz/fuzz.js';
import { fuzzWordFiles } from '../fuzz/word-files.js';
import { isFull } from '../support/full.js';

const t = suite('fuzz');
const count = isFull ? 100_000 : 6000;

t('every mutated file is taken and keeps its promises, or is refused with a code', async () => {
  const results = await fuzz(count, 7);
  assert.equal(
    [...results.values()].flatMap(({ failures }) => failures),
    [],
  );
  const unigram = ['tokenizer.json of Unigram', 'precompiled map'];
  for (const name of [
    'safetensors header',
    'config',
    'pooling',
    'tokenizer.json',
    'vocab.txt',
    ...unigram,
    'npy',
    'pickle of tensors',
    'file of torch.save',
  ]) {
    const { taken, refused } = results.get(name)!;
    assert.ok(taken > 0 && refused.size > 0, `${name}: the mutations reach one outcome only`);
  }
});

t('every mutated file of word vectors is read whole, or is refused with a code', async () => {
  const results = await fuzzWordFiles(count / 12, 7);
  assert.equal(
    [...results.values()].flatMap(({ failures }) => failures),
    [],
  );
  for (const [name, { taken, refused }] of results) assert.ok(taken > 0 && refused.has('VECTORS_FORMAT'), name);
});

t.run();
