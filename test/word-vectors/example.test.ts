import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';

const t = suite('examples of words');

t('king-queen.mjs trains on the text beside it and prints five words and the share of right answers', async () => {
  const root = fileURLToPath(new URL('../..', import.meta.url));
  const { stdout, stderr } = await promisify(execFile)(process.execPath, ['examples/words/king-queen.mjs'], { cwd: root });
  assert.is(stderr, '');
  assert.match(stdout, /^\d+ words from 10\d{4}\n(0\.\d{3} \S+\n){5}family: \d+ of \d+ right, \d+\.\d %\n$/);
});

t.run();
