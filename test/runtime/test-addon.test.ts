import { dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';
import { loadTestAddon, testAddonFile } from '../support/test-addon.js';

const t = suite('test-addon');

t('what only tests need is in an addon of its own, which is otherwise the same', () => {
  const addon = createRequire(import.meta.url)(join(dirname(testAddonFile), 'bertha.node')) as Record<string, unknown>;
  const names = Object.keys(loadTestAddon());
  assert.equal(names.filter((name) => !(name in addon)).sort(), ['failAllocation', 'ops', 'searchOps', 'trainingOps', 'wordOps']);
  assert.equal(
    Object.keys(addon).filter((name) => !names.includes(name)),
    [],
  );
});

t.run();
