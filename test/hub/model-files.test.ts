// Which files of a repository are asked for, by what its modules name.
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { needModelFiles } from '../../src/hub/model-files.js';
import { golden } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';

const test = suite('files of a model');
// A router's folders have tokenizers of their own.
const notOfTheModel = ['cases.json', 'expected.safetensors', 'tokenizer_config.json'];

for (const name of ['sparse/splade-router', 'multivector/colbert', 'multivector/colbert-stanford']) {
  test(`all that ${name} is made of`, async () => {
    const folder = golden(name);
    const asked = new Set<string>();
    const isEnough = await needModelFiles(folder, 'model', (file) => {
      asked.add(file);
      return Promise.resolve(existsSync(join(folder, file)));
    });
    assert.ok(isEnough);
    const all = (readdirSync(folder, { recursive: true }) as string[]).map((file) => file.replaceAll('\\', '/'));
    const isFile = (file: string) => /\.(json|safetensors|metadata)$/.test(file) && !notOfTheModel.includes(file);
    assert.equal(
      all.filter((file) => isFile(file) && !asked.has(file)),
      [],
    );
  });
}

test.run();
