import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import * as assert from 'uvu/assert';
import { suite } from '../support/suite.js';

// Against the built package.
const t = suite('examples of pretraining');
const root = fileURLToPath(new URL('../..', import.meta.url));

t('a vocabulary and a model come from raw text alone', async () => {
  const args = ['examples/pretraining/from-raw-text.mjs', 'examples/training/data/stories.txt', '20'];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, args, { cwd: root, encoding: 'utf8' });
  assert.is(stderr, '');
  assert.match(stdout, /^\d+ tokens from \d+ words\nloss of masked words \d\.\d\d, of a guess \d\.\d\d\n.+ \d\.\d\d, .+\n$/);
});

t.run();
