// One small model or two of each family after BERT's first four, against float64 reference values.
import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { kTolerance } from '../../scripts/golden/compare.js';
import { instructionSet } from '../support/devices.js';
import { compareProgram } from '../support/golden-programs.js';
import { suite } from '../support/suite.js';

const t = suite(`golden families ${instructionSet}`);
const folder = new URL('../golden-families/tiny/', import.meta.url);

for (const name of readdirSync(folder)) {
  t(`${name} computes its float64 reference values`, async () => {
    const report = await compareProgram(fileURLToPath(new URL(name, folder)), kTolerance);
    assert.is(report.verdict, 'ok', report.toString());
  });
}

t.run();
