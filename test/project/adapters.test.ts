import { existsSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { checkout, runNode } from '../support/mini-checkout.js';
import { skip } from '../support/skip.js';
import { suite } from '../support/suite.js';

// The adapters with the frameworks they are for, which lie in a folder of their own: npm ci --prefix test/adapters --ignore-scripts --omit=optional.
const folder = join(checkout, 'test', 'adapters');
const modules = join(folder, 'node_modules');

const t = suite('adapters');

/** Whether packages are there; the test that they are for says otherwise what is missing. */
function has(...names: readonly string[]): boolean {
  const missing = names.filter((name) => !existsSync(join(modules, name)));
  if (missing.length > 0) skip(`${missing.join(', ')} not installed: npm ci --prefix test/adapters --ignore-scripts --omit=optional`);
  return missing.length === 0;
}

async function run(...args: readonly string[]): Promise<string> {
  const { code, output } = await runNode(folder, args);
  assert.is(code, 0, output);
  return output;
}

t.before(async () => {
  if (existsSync(modules)) await run('place.mjs');
});

const frameworks = {
  langchain: {
    packages: ['@langchain/core', '@langchain/classic'],
    example: /^found: Click.*\nbest: Parcels.* 0\.\d+\nexample: .*happy.*\n.+\n$/,
  },
  'ai-sdk': { packages: ['ai', '@ai-sdk/provider'], example: /^found: Parcels.*\(30 tokens\)\nbest: You can return/ },
  llamaindex: { packages: ['llamaindex', '@llamaindex/core'], example: /^found: Parcels.*\nbest: Parcels.*\n.+\n$/ },
  chroma: { packages: ['chromadb'], example: /^found: Click on "Forgot password"/ },
} as const;

/** Examples that end with a text by a tiny decoder. */
const writes: ReadonlySet<string> = new Set(['langchain', 'llamaindex']);
const writer = join(checkout, 'test', 'golden-generation', 'tiny', 'bertgen-lm');

for (const [name, { packages, example }] of Object.entries(frameworks)) {
  t(`${name}: retrieval end to end, dispose, abort and errors with the real framework`, async () => {
    if (!has(...packages)) return;
    const output = await run('--import', 'tsx', '--test-reporter=spec', join('checks', `${name}.ts`));
    assert.match(output, /pass ([5-9]|1\d)\n/);
    assert.match(output, 'fail 0\n');
  });

  t(`${name}: the example runs`, async () => {
    if (has(...packages))
      assert.match(await run(join('node_modules', '.examples', `${name}.mjs`), ...(writes.has(name) ? [writer] : [])), example);
  });
}

t("the adapters' sources and their tests fit the frameworks' own types", async () => {
  if (!has(...Object.values(frameworks).flatMap(({ packages }) => packages))) return;
  await run(join(checkout, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', 'tsconfig.types.json');
});

t.run();
