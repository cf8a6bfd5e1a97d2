import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { loadModel } from '../../src/models/index.js';
import { differentCases, type CollatorCases } from '../../test/support/collator-cases.js';

const kRows = 1000;
const tokenizers = ['weights/all-MiniLM-L6-v2', 'test/golden/tiny/bert-cased'];

/** Compares how collators and transformers' examples read drawn rows; prints what differs and returns how many do. */
export async function compareCollators(python: string): Promise<number> {
  let different = 0;
  for (const [seed, name] of tokenizers.entries()) {
    const directory = fileURLToPath(new URL(`../../${name}`, import.meta.url));
    const script = fileURLToPath(new URL('collators.py', import.meta.url));
    const { stdout, status, stderr } = spawnSync(python, [script, String(100 + seed), String(kRows), directory], {
      encoding: 'utf8',
      maxBuffer: 1 << 28,
    });
    if (status !== 0) throw new Error(stderr);
    const model = await loadModel(directory);
    const cases = JSON.parse(stdout) as CollatorCases;
    const found = differentCases(model, cases);
    model.dispose();
    for (const each of found) console.log(each);
    console.log(`collators, ${name}: ${cases.cases.length} rows, ${found.length} read differently`);
    different += found.length;
  }
  return different;
}
