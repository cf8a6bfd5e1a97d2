// The hash by which a classifier knows its model again.
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { weightsHash } from '../../src/checkpoint/weights/weights-hash.js';
import { temporaryFolder } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const t = suite('hash of weights');

t('is that of the one file; checkpoints and heads below it do not count, modules do', async () => {
  const folder = temporaryFolder();
  const put = (name: string): void => {
    mkdirSync(dirname(join(folder, name)), { recursive: true });
    writeFileSync(join(folder, name), name);
  };
  put('model.safetensors');
  const own = createHash('sha256').update('model.safetensors').digest('hex');
  assert.is(await weightsHash(folder), own);
  for (const name of ['checkpoint-3/model.safetensors', 'heads/sentiment/adapter_model.safetensors', 'classifier.safetensors']) put(name);
  assert.is(await weightsHash(folder), own);
  put('2_Dense/model.safetensors');
  assert.is.not(await weightsHash(folder), own);
});

t('counts modules in whatever folders modules.json names, at any depth', async () => {
  for (const name of ['dense', 'own/deep/layers', './0_Transformer/']) {
    const folder = temporaryFolder();
    const modules = ['', name].map((at, idx) => ({ idx, name: `${idx}`, path: at, type: 'sentence_transformers.models.Dense' }));
    writeFileSync(join(folder, 'modules.json'), JSON.stringify(modules));
    writeFileSync(join(folder, 'model.safetensors'), 'encoder');
    mkdirSync(join(folder, name), { recursive: true });
    const hashes = new Set<string>();
    for (const weights of ['', 'one', 'two']) {
      if (weights !== '') writeFileSync(join(folder, name, 'model.safetensors'), weights);
      hashes.add(await weightsHash(folder));
    }
    assert.is(hashes.size, 3, name);
  }
});

t.run();
