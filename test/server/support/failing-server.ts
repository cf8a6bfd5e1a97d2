// Run by server-support.test.ts: a server is left open by an assertion that fails, and a request in flight with it.
import * as assert from 'uvu/assert';
import { serve, serverSuite, tiny } from './serving.js';

const t = serverSuite('a test that fails');

t('leaves its server open', async () => {
  const server = await serve({ models: tiny('embedder') });
  await server.post('/embed', { inputs: 'hello' });
  assert.unreachable();
});

t.run();
