// Half a minute of mixed traffic, and SIGTERM under it: a minute with BERTHA_TEST_FULL=1; `npm run check:full` takes half an hour beside.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { isFull } from '../support/full.js';
import { suite } from '../support/suite.js';

const t = suite('the server under mixed traffic');
const program = fileURLToPath(new URL('../../scripts/soak/server.ts', import.meta.url));

t('good, malformed, aborted and slowly read requests leaves no error, memory or descriptor; SIGTERM loses none', async () => {
  const child = spawn(process.execPath, ['--import', 'tsx', program, '--seconds', isFull ? '60' : '30', '--connections', '8'], {
    stdio: 'pipe',
  });
  let said = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (bytes: Buffer) => (said += bytes.toString()));
  const code = await new Promise((resolve) => child.once('close', resolve));
  assert.is(code, 0, said);
  assert.match(said, /no problem\n$/);
});

t.run();
