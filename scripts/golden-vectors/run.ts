// `npm run golden:vectors -- DIR`: compares with golden data of word vectors and classifiers, as its README says.
import { oneHot, split, text } from './features.js';
import { logistic } from './logistic.js';
import { Golden, type Outcome } from './read.js';

/** The parts by the file that they are in. */
export const parts: readonly {
  readonly name: string;
  readonly file: string;
  readonly run: (golden: Golden, outcome: Outcome) => Promise<void>;
}[] = [
  { name: 'logistic', file: 'logistic/cases.json', run: logistic },
  { name: 'split', file: 'split.json', run: split },
  { name: 'text', file: 'text.json', run: text },
  { name: 'one-hot', file: 'one-hot.json', run: oneHot },
];

if (process.argv[1]?.endsWith('run.ts') === true) {
  const [directory, only] = process.argv.slice(2);
  if (directory === undefined) throw new Error('Expected a directory of golden data: npm run golden:vectors -- DIR');
  const golden = new Golden(directory);
  for (const { name, file, run } of parts.filter((part) => only === undefined || part.name === only)) {
    if (!golden.has(file)) continue;
    const outcome: Outcome = { checked: 0, wrong: [] };
    await run(golden, outcome);
    process.stdout.write(`${name}: ${outcome.checked - outcome.wrong.length} of ${outcome.checked}\n`);
    for (const wrong of outcome.wrong.slice(0, 20)) process.stdout.write(`  ${wrong}\n`);
    if (outcome.wrong.length > 0) process.exitCode = 1;
  }
}
