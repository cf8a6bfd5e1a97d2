import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Check } from '../adapters/clients/client.js';
import { clientModels, expectedOf, type Expected } from '../../scripts/clients/expected.js';
import { checkout } from '../support/mini-checkout.js';
import { skip } from '../support/skip.js';
import { serve, serverSuite, type Serving } from './support/serving.js';

// The npm clients themselves, which lie in a folder of their own: npm ci --prefix test/adapters --ignore-scripts --omit=optional.
// `npm run check:clients` runs them against the command, with more of them, and with Python's.
const folder = join(checkout, 'test', 'adapters');
const isInstalled = existsSync(join(folder, 'node_modules', 'voyageai'));

const t = serverSuite('server: real clients');
const key = 'test-key';
let server: Serving;
let expected: Expected;
t.before(async () => {
  if (!isInstalled) return;
  const models = Object.entries(clientModels).map(([name, model]) => ({ name, model: join(checkout, model) }));
  server = await serve({ models, apiKeys: [key] });
  expected = await expectedOf(checkout);
});
t.after(() => server?.close());

const files = readdirSync(join(folder, 'clients')).filter((name) => name !== 'client.ts');

for (const file of files) {
  t(`${file}: every call of the clients gets what the library says, and refusals are told`, async () => {
    if (!isInstalled) return skip('clients not installed: npm ci --prefix test/adapters --ignore-scripts --omit=optional');
    const { checks } = (await import(`../adapters/clients/${file}`)) as { readonly checks: readonly Check[] };
    for (const { client, what, run } of checks) {
      try {
        await run({ address: server.address, key, expected });
      } catch (error) {
        throw new Error(`${client}, ${what}: ${(error as Error).message}`, { cause: error });
      }
    }
  });
}

t.run();
