// `npm run quality:vectors -- [NAME …] [--words DIR] [--text FILE] [--threads N]`: trains on a corpus and compares with people's
// judgements; prints the table of docs/words.md. DIR holds EN-WS-353-ALL.txt, EN-SIMLEX-999.txt and questions-words.txt.
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type KeyedVectors, trainFastText, trainGloVe, trainWord2Vec } from '../../src/word-vectors/index.js';

interface Run {
  readonly name: string;
  readonly train: () => Promise<{ readonly vectors: KeyedVectors }>;
  /** The least WS-353 and the least percent of analogies. */
  readonly least: readonly [ws353: number, analogies: number];
}

const shared = process.env['BERTHA_SHARED'] ?? '../shared';
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { words: { type: 'string' }, text: { type: 'string' }, threads: { type: 'string', default: '2' } },
});
const words = values.words ?? join(shared, 'eval', 'words');
const text = values.text ?? join(shared, 'text', 'nltk9.txt.gz');
for (const path of [words, text]) if (!existsSync(path)) throw new Error(`Expected ${path}: give --words DIR and --text FILE`);
const options = { threads: Number(values.threads), epochs: 15 };

const runs: readonly Run[] = [
  { name: 'skip-gram', train: () => trainWord2Vec(text, options), least: [0.54, 12] },
  { name: 'cbow', train: () => trainWord2Vec(text, { ...options, sg: false }), least: [0.41, 15] },
  { name: 'hierarchical-softmax', train: () => trainWord2Vec(text, { ...options, hs: true }), least: [0.42, 0] },
  { name: 'fasttext', train: () => trainFastText(text, options), least: [0.53, 50] },
  { name: 'glove', train: () => trainGloVe(text, { ...options, epochs: 25, xMax: 10 }), least: [0.33, 7.5] },
];

process.stdout.write('| trainer | WS-353 | SimLex-999 | analogies % | s | processor s |\n|---|---|---|---|---|---|\n');
for (const { name, train, least } of runs.filter((run) => positionals.length === 0 || positionals.includes(run.name))) {
  const [begin, before] = [performance.now(), process.cpuUsage()];
  const { vectors } = await train();
  const spent = process.cpuUsage(before);
  const seconds = (performance.now() - begin) / 1000;
  const [ws353, simlex] = await Promise.all(
    ['EN-WS-353-ALL.txt', 'EN-SIMLEX-999.txt'].map((file) => vectors.evaluateWordPairs(join(words, file))),
  );
  const { accuracy } = await vectors.evaluateWordAnalogies(join(words, 'questions-words.txt'));
  const cells = [ws353!.spearman.toFixed(3), simlex!.spearman.toFixed(3), (100 * accuracy).toFixed(1), seconds.toFixed(0)];
  const isEnough = ws353!.spearman >= least[0] && 100 * accuracy >= least[1];
  const processor = ((spent.user + spent.system) / 1e6).toFixed(0);
  process.stdout.write(
    `| ${[name, ...cells, processor].join(' | ')} |${isEnough ? '' : ` below WS-353 ${least[0]}, analogies ${least[1]} %`}\n`,
  );
  if (!isEnough) process.exitCode = 1;
}
