import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { loadEmbedder, loadModel, type BerthaError } from '../../src/index.js';
import { eventually, smallModel } from '../support/library.js';
import { loadTestAddon, testAddonFile } from '../support/test-addon.js';

const t = suite('allocation');
process.env['BERTHA_ADDON'] = testAddonFile; // the library's own addon from here on
const addon = loadTestAddon();

/** Runs `call` with its 1st, 2nd, … native allocation failing, until it succeeds. Returns how often it failed. */
async function failEach(call: () => Promise<void>, afterwards: () => Promise<void>): Promise<number> {
  for (let n = 1; ; n++) {
    addon.failAllocation(n);
    let code = 'none';
    try {
      await call();
    } catch (error) {
      code = (error as BerthaError).code;
      assert.is((error as Error).name, 'BerthaError');
    } finally {
      addon.failAllocation(0);
    }
    await afterwards();
    if (code === 'none') return n - 1;
    assert.is(code, 'OUT_OF_MEMORY', `allocation ${n}`);
    assert.ok(n < 10_000, 'it never succeeds');
  }
}

t('any allocation of a load may fail: a typed error, nothing leaks, the next load works', async () => {
  const before = addon.allocatedBytes();
  const failures = await failEach(
    async () => (await loadModel(smallModel)).dispose(),
    () => eventually('all memory to be back', () => addon.allocatedBytes() === before),
  );
  assert.ok(failures >= 2, `${failures} failures`);
});

t('any allocation of a call may fail: a typed error, nothing leaks, the next call works', async () => {
  const before = addon.allocatedBytes();
  const texts = ['hello', 'hello guitar', 'guitar '.repeat(20)];
  const reference = await loadEmbedder(smallModel, { threads: 1 });
  const expected = await reference.embed(texts);
  const shared = addon.allocatedBytes() - before;
  const failures = await failEach(
    async () => {
      // A model of its own has no workspace yet: every allocation of a first call is met.
      const embedder = await loadEmbedder(smallModel, { threads: 1 });
      try {
        assert.equal(await embedder.embed(texts), expected);
      } finally {
        embedder.dispose();
      }
    },
    async () => {
      await eventually('all memory to be back', () => addon.allocatedBytes() - before <= shared);
      assert.equal(await reference.embed(texts), expected);
    },
  );
  assert.ok(failures >= 3, `${failures} failures`);
  reference.dispose();
  await eventually('all memory to be back', () => addon.allocatedBytes() === before);
});

t('any allocation of concurrent calls may fail: others are not hurt', async () => {
  const embedder = await loadEmbedder(smallModel);
  const expected = await embedder.embed(['hello', 'guitar']);
  let refused = 0;
  for (let n = 1; n <= 30; n++) {
    addon.failAllocation(n);
    const results = await Promise.allSettled(Array.from({ length: 8 }, () => embedder.embed(['hello', 'guitar'])));
    addon.failAllocation(0);
    for (const result of results) {
      if (result.status === 'fulfilled') assert.equal(result.value, expected);
      else assert.is((result.reason as BerthaError).code, 'OUT_OF_MEMORY');
    }
    const failed = results.filter(({ status }) => status === 'rejected').length;
    assert.ok(failed <= 1, `one allocation failed, and ${failed} calls`);
    refused += failed;
  }
  assert.ok(refused > 0);
  embedder.dispose();
});

t.run();
