import { fileURLToPath } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { parts } from '../../scripts/golden-vectors/run.js';
import { Golden, type Outcome } from '../../scripts/golden-vectors/read.js';

const t = suite('golden vectors');
const golden = new Golden(fileURLToPath(new URL('../golden-vectors', import.meta.url)));

for (const { name, file, run } of parts) {
  if (!golden.has(file)) continue;
  t(`${name}: as scikit-learn`, async () => {
    const outcome: Outcome = { checked: 0, wrong: [] };
    await run(golden, outcome);
    assert.equal(outcome.wrong, []);
    assert.ok(outcome.checked > 20, `${outcome.checked} comparisons`);
  });
}

t.run();
