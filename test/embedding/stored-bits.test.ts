import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { systemInfo } from '../../src/index.js';
import { skip } from '../support/skip.js';
import { precisions, vectorBits } from '../support/stored-bits.js';
import { suite } from '../support/suite.js';

const t = suite('stored bits');
const stored = JSON.parse(readFileSync(new URL('../golden/bits/bits.json', import.meta.url), 'utf8')) as Record<
  string,
  Record<string, string>
>;
const set = `${process.arch} ${systemInfo().isa.chosen}`;

for (const precision of precisions) {
  t(`200 vectors in ${precision} have the bits they had`, async () => {
    const expected = stored[set]?.[precision];
    if (expected === undefined) return skip(`bits of ${set}`);
    const bits = await vectorBits(precision);
    for (let i = 0; i < expected.length; i += 8) assert.is(bits.slice(i, i + 8), expected.slice(i, i + 8), `text ${i / 8}`);
    assert.is(bits.length, expected.length);
  });
}

t.run();
