// `npm run golden:vectors -- DIR [PART]`: compares with golden data of word vectors and classifiers, as its README says.
import { existsSync } from 'node:fs';
import { cluster } from './cluster.js';
import { oneHot, text } from './features.js';
import { logistic } from './logistic.js';
import { report, scores } from './metrics.js';
import { Golden, type Outcome } from './read.js';
import { split } from './splits.js';
import { subwords } from './subwords.js';
import { traces } from './traces.js';
import { wordFiles } from './word-files.js';

/** A part of golden data, by the file that begins it. */
export interface Part {
  readonly name: string;
  readonly file: string;
  readonly run: (golden: Golden, outcome: Outcome) => Promise<void>;
}

/** All parts. */
export const parts: readonly Part[] = [
  { name: 'logistic', file: 'logistic/cases.json', run: logistic },
  { name: 'split', file: 'split.json', run: split },
  { name: 'text', file: 'text.json', run: text },
  { name: 'one-hot', file: 'one-hot.json', run: oneHot },
  { name: 'report', file: 'report.json', run: report },
  { name: 'metrics', file: 'metrics.json', run: scores },
  { name: 'cluster', file: 'cluster/cases.json', run: cluster },
  { name: 'files', file: 'files/cases.json', run: wordFiles },
  { name: 'traces', file: 'traces/cases.json', run: traces },
  { name: 'subwords', file: 'subwords.json', run: subwords },
];

if (process.argv[1]?.endsWith('run.ts') === true) {
  const [directory, only] = process.argv.slice(2);
  if (directory === undefined || !existsSync(directory)) {
    throw new Error(`Expected a directory of golden data but received ${directory ?? 'none'}: npm run golden:vectors -- DIR`);
  }
  const golden = new Golden(directory);
  const there = parts.filter(({ name, file }) => golden.has(file) && (only === undefined || name === only));
  if (there.length === 0)
    throw new Error(`Expected parts of golden data in ${directory} but found none of ${parts.map(({ name }) => name).join(', ')}`);
  for (const { name, run } of there) {
    const outcome: Outcome = { checked: 0, wrong: [] };
    await run(golden, outcome);
    process.stdout.write(`${name}: ${outcome.checked - outcome.wrong.length} of ${outcome.checked}\n`);
    for (const wrong of outcome.wrong.slice(0, 20)) process.stdout.write(`  ${wrong}\n`);
    if (outcome.wrong.length > 0) process.exitCode = 1;
  }
}
