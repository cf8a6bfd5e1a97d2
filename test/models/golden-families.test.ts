// A small model or two of each family after BERT's first four, its tokenizer, heads and answers, against float64 reference values.
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { compareFolder, kTolerance } from '../../scripts/golden/compare.js';
import { findGoldenFolders } from '../../scripts/golden/files.js';
import { instructionSet } from '../support/devices.js';
import { suite } from '../support/suite.js';

const t = suite(`golden families ${instructionSet}`);

for (const folder of findGoldenFolders(fileURLToPath(new URL('../golden-families/', import.meta.url)))) {
  t(`${folder.name} matches its float64 reference values`, async () => {
    const report = await compareFolder(folder, { tolerance: kTolerance });
    assert.is(report.verdict, 'ok', report.toString());
  });
}

t.run();
