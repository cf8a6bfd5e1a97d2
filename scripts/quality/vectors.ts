// `npm run quality:vectors -- [NAME …] [--words DIR] [--text FILE] [--threads N] [--python PYTHON]`: trains on a corpus and compares with
// people's judgements; prints the table of docs/words.md. DIR holds EN-WS-353-ALL.txt, EN-SIMLEX-999.txt and questions-words.txt. A PYTHON
// that has fasttext, fasttext-wheel or gensim adds a row, fasttext-reference: that program's vectors with the same settings, judged here.
import { spawn } from 'node:child_process';
import { createReadStream, createWriteStream, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createGunzip } from 'node:zlib';
import { type KeyedVectors, loadWordVectors, trainFastText, trainGloVe, trainWord2Vec } from '../../src/word-vectors/index.js';

interface Run {
  readonly name: string;
  readonly train: () => Promise<{ readonly vectors: KeyedVectors }>;
  /** The least WS-353 and the least percent of analogies. */
  readonly least: readonly [ws353: number, analogies: number];
  /** Seconds of its processes are not ours. */
  readonly isOther?: boolean;
}

const shared = process.env['BERTHA_SHARED'] ?? '../shared';
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { words: { type: 'string' }, text: { type: 'string' }, threads: { type: 'string', default: '2' }, python: { type: 'string' } },
});
const words = values.words ?? join(shared, 'eval', 'words');
const text = values.text ?? join(shared, 'text', 'nltk9.txt.gz');
for (const path of [words, text]) if (!existsSync(path)) throw new Error(`Expected ${path}: give --words DIR and --text FILE`);
const options = { threads: Number(values.threads), epochs: 15 };
/** gensim's rate, which both fastText rows of the comparison have; fasttext lets it fall to 0 and draws negatives by the power 0.5. */
const kReferenceAlpha = 0.025;

const runs: readonly Run[] = [
  { name: 'skip-gram', train: () => trainWord2Vec(text, options), least: [0.54, 12] },
  { name: 'cbow', train: () => trainWord2Vec(text, { ...options, sg: false }), least: [0.41, 15] },
  { name: 'hierarchical-softmax', train: () => trainWord2Vec(text, { ...options, hs: true }), least: [0.42, 0] },
  { name: 'fasttext', train: () => trainFastText(text, options), least: [0.53, 50] },
  {
    name: 'fasttext-as-its-program',
    train: () => trainFastText(text, { ...options, nsExponent: 0.5, alpha: kReferenceAlpha, minAlpha: 0 }),
    least: [0, 0],
  },
  ...(values.python === undefined
    ? []
    : [{ name: 'fasttext-reference', train: () => trainReference(values.python!), least: [0, 0] as const, isOther: true }]),
  { name: 'glove', train: () => trainGloVe(text, { ...options, epochs: 25, xMax: 10 }), least: [0.33, 7.5] },
];

process.stdout.write('| trainer | WS-353 | SimLex-999 | analogies % | s | processor s |\n|---|---|---|---|---|---|\n');
for (const { name, train, least, isOther } of runs.filter((run) => positionals.length === 0 || positionals.includes(run.name))) {
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
  const processor = isOther === true ? '' : ((spent.user + spent.system) / 1e6).toFixed(0);
  process.stdout.write(
    `| ${[name, ...cells, processor].join(' | ')} |${isEnough ? '' : ` below WS-353 ${least[0]}, analogies ${least[1]} %`}\n`,
  );
  if (!isEnough) process.exitCode = 1;
}

/** The vectors of another program. */
async function trainReference(python: string): Promise<{ readonly vectors: KeyedVectors }> {
  const folder = mkdtempSync(join(tmpdir(), 'bertha-quality-'));
  try {
    const [corpus, output] = [join(folder, 'corpus.txt'), join(folder, 'words.vec')];
    const packed = text.endsWith('.gz') ? [createGunzip()] : [];
    await pipeline([createReadStream(text), ...packed, createWriteStream(corpus)]);
    const settings = JSON.stringify({ threads: options.threads, epochs: options.epochs, alpha: kReferenceAlpha });
    const child = spawn(python, [fileURLToPath(new URL('reference.py', import.meta.url)), corpus, output, settings], {
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    const code = await new Promise((resolve, reject) => child.once('exit', resolve).once('error', reject));
    if (code !== 0) throw new Error(`Expected ${python} to train with fasttext or gensim, but it ended with ${String(code)}`);
    return { vectors: await loadWordVectors(output) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
