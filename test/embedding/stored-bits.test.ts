import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { systemInfo } from '../../src/index.js';
import { isFull } from '../support/full.js';
import { skip } from '../support/skip.js';
import { precisions, storedTexts, vectorBits } from '../support/stored-bits.js';
import { suite } from '../support/suite.js';

const t = suite('stored bits');
const stored = JSON.parse(readFileSync(new URL('../golden/bits/bits.json', import.meta.url), 'utf8')) as Record<
  string,
  Record<string, string>
>;
const set = `${process.arch} ${systemInfo().isa.chosen}`;

/** Without vector instructions 200 texts take minutes. */
const count = isFull || systemInfo().isa.chosen !== 'scalar' ? storedTexts : 50;

for (const precision of precisions) {
  t(`${count} vectors in ${precision} have the bits they had`, async () => {
    const expected = stored[set]?.[precision];
    if (expected === undefined) return skip(`bits of ${set}`);
    const bits = await vectorBits(precision, count);
    if (expected.length < 8 * count) return assert.is(bits, expected);
    for (let i = 0; i < 8 * count; i += 8) assert.is(bits.slice(i, i + 8), expected.slice(i, i + 8), `text ${i / 8}`);
    assert.is(bits.length, 8 * count);
  });
}

t.run();
