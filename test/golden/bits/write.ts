// Adds the bits of the instruction set in use to bits.json: BERTHA_ISA=avx2 node --import tsx test/golden/bits/write.ts
import { readFileSync, writeFileSync } from 'node:fs';
import { systemInfo } from '../../../src/index.js';
import { precisions, vectorBits } from '../../support/stored-bits.js';

const file = new URL('bits.json', import.meta.url);
let stored: Record<string, Record<string, string>> = {};
try {
  stored = JSON.parse(readFileSync(file, 'utf8')) as typeof stored;
} catch {
  // The first instruction set of a new file.
}
const set = `${process.arch} ${systemInfo().isa.chosen}`;
stored[set] = {};
for (const precision of precisions) stored[set][precision] = await vectorBits(precision);
writeFileSync(file, `${JSON.stringify(stored, null, 1)}\n`);
