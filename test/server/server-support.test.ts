import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { checkout, runNode } from '../support/mini-checkout.js';
import { suite } from '../support/suite.js';

const t = suite('server: support of tests');

t('a test whose assertion fails ends its file, although it left a server open', async () => {
  const file = fileURLToPath(new URL('support/failing-server.ts', import.meta.url));
  const began = performance.now();
  const { code, output } = await runNode(checkout, ['--import', 'tsx', file]);
  assert.is(code, 1, output);
  assert.match(output, /FAIL\s+a test that fails/);
  assert.ok(performance.now() - began < 60_000, 'it ended when its connections were closed for being idle');
});

t.run();
