// `npm run bench:vectors -- [--python PYTHON] [--text FILE] [--words N] [--threads N] [--rounds N] [--only NAME]`: training, loading
// and searching of word vectors, in turns with gensim, and logistic regression with scikit-learn, where a PYTHON that has them is given.
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createGunzip } from 'node:zlib';
import { createReadStream } from 'node:fs';
import { systemInfo } from '../../src/index.js';
import { LogisticRegression } from '../../src/learn/index.js';
import { KeyedVectors, loadWordVectors, trainFastText, trainGloVe, trainWord2Vec } from '../../src/word-vectors/index.js';
import { measureLoop } from './loop.js';

interface Time {
  readonly seconds: number;
  readonly cpu: number;
  readonly words?: number;
}

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    text: { type: 'string', default: join(process.env['BERTHA_SHARED'] ?? '../shared', 'text', 'nltk9.txt.gz') },
    words: { type: 'string', default: '1060000' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
  },
});
const [threads, rounds, wanted] = [values.threads, values.rounds, values.words].map(Number) as [number, number, number];
if (!existsSync(values.text)) throw new Error(`Expected a corpus in ${values.text}: give --text FILE`);
const folder = mkdtempSync(join(tmpdir(), 'bertha-bench-words-'));
const corpus = join(folder, 'corpus.txt');
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));

/** gensim in a process of its own, so that its threads and memory are not ours. */
class Rival {
  readonly #child;
  readonly #lines;
  constructor(python: string) {
    this.#child = spawn(python, [fileURLToPath(new URL('rival.py', import.meta.url))], {
      stdio: ['pipe', 'pipe', 'inherit'],
      env: { ...process.env, OMP_NUM_THREADS: '1', OPENBLAS_NUM_THREADS: '1' },
    });
    this.#lines = createInterface({ input: this.#child.stdout })[Symbol.asyncIterator]();
  }
  async measure(request: object): Promise<Time> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    const { value, done } = await this.#lines.next();
    if (done === true) throw new Error('gensim has ended');
    return JSON.parse(value) as Time;
  }
  close(): void {
    this.#child.stdin.end();
  }
}

async function timed(work: () => Promise<unknown>): Promise<Time> {
  const [begin, before] = [performance.now(), process.cpuUsage()];
  await work();
  const { user, system } = process.cpuUsage(before);
  return { seconds: (performance.now() - begin) / 1000, cpu: (user + system) / 1e6 };
}

function median(numbers: readonly number[]): number {
  return numbers.toSorted((a, b) => a - b)[numbers.length >> 1]!;
}

const common = { epochs: 1, threads, minCount: 5 };
/** Words a second of the training alone, as the report has it, and what it used of the processor in all. */
const trainers: Readonly<
  Record<string, () => Promise<{ readonly report: { readonly seconds: number; readonly wordsPerSecond: number } }>>
> = {
  'skip-gram': () => trainWord2Vec(corpus, common),
  cbow: () => trainWord2Vec(corpus, { ...common, sg: false }),
  'fasttext skip-gram': () => trainFastText(corpus, common),
  'fasttext cbow': () => trainFastText(corpus, { ...common, sg: false }),
};

await writeCorpus();
const { chosen } = systemInfo().isa;
process.stdout.write(`${cpus()[0]!.model}, ${chosen}, ${threads} threads, ${wanted} words, medians of ${rounds}\n\n`);
process.stdout.write('| | Bertha | gensim | ratio |\n|---|---|---|---|\n');
const rival = values.python === undefined ? undefined : new Rival(values.python);
const isAsked = (name: string): boolean => name.includes(values.only);

for (const [name, train] of Object.entries(trainers).filter(([key]) => isAsked(key))) {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    const { report } = await train();
    ours.push(report.wordsPerSecond);
    const time = await rival?.measure({ kind: name.replace(' skip-gram', ''), corpus, threads });
    if (time !== undefined) theirs.push(time.words! / time.seconds);
  }
  row(
    name,
    ours,
    theirs,
    (speed) => `${Math.round(speed / 1000)}k words/s`,
    (a, b) => a / b,
  );
}
if (isAsked('glove')) {
  const speeds: number[] = [];
  for (let round = 0; round < rounds; round++) {
    let [records, begin, seconds] = [0, 0, 0];
    await trainGloVe(corpus, {
      ...common,
      epochs: 10,
      xMax: 10,
      onProgress: ({ phase, done }) => {
        if (phase !== 'train') return;
        if (begin === 0) begin = performance.now() - 0.001;
        [records, seconds] = [done, (performance.now() - begin) / 1000];
      },
    });
    speeds.push(records / Math.max(seconds, 1e-3) / threads);
  }
  row(
    'glove, of a thread',
    speeds,
    [],
    (speed) => `${(speed / 1e6).toFixed(1)} M records/s`,
    (a, b) => a / b,
  );
}
if (isAsked('load') || isAsked('mostSimilar')) await measureQueries();
if (isAsked('loop')) await measureLoop(folder, threads);
for (const classes of [2, 20]) if (isAsked('logistic')) await measureLogistic(classes);
rival?.close();

/** LogisticRegression on 20,000 x 384 drawn rows whose classes differ by a shift, beside scikit-learn's on the same float32 numbers. */
async function measureLogistic(classes: number): Promise<void> {
  const [size, dimensions, file] = [20_000, 384, join(folder, 'rows.f32')];
  const noise = (i: number): number => Math.sin(i * 12.9898) * 43758.5453 - Math.floor(Math.sin(i * 12.9898) * 43758.5453) - 0.5;
  const shift = (row: number, column: number): number => 0.1 * noise(7 + (row % classes) * dimensions + column);
  const data = Float32Array.from({ length: size * dimensions }, (_, i) => {
    const [row, column] = [Math.floor(i / dimensions), i % dimensions];
    return 0.2 * (noise(i + 1000) + shift(row, column));
  });
  writeFileSync(file, data);
  const labels = Array.from({ length: size }, (_, row) => row % classes);
  const [ours, theirs]: [number[], number[]] = [[], []];
  let iterations = '';
  for (let round = 0; round < rounds; round++) {
    const model = new LogisticRegression();
    ours.push((await timed(() => model.fit({ data, dimensions }, labels))).seconds);
    const time = await rival?.measure({ kind: 'logistic', file, columns: dimensions, classes });
    if (time !== undefined) theirs.push(time.seconds);
    iterations = `${model.nIter}${time === undefined ? '' : ` and ${time.words}`} iterations`;
  }
  row(
    `logistic regression, scikit-learn beside it, 20,000 x 384, ${classes} classes, ${iterations}`,
    ours,
    theirs,
    (seconds) => `${(1000 * seconds).toFixed(0)} ms`,
    (a, b) => b / a,
  );
}

/** A text of 400,000 words x 100 is read, and its words are searched. */
async function measureQueries(): Promise<void> {
  const [size, dimensions] = [400_000, 100];
  const file = join(folder, 'large.vec');
  const data = Float32Array.from({ length: size * dimensions }, (_, i) => Math.fround(Math.sin(i * 12.9898) * 0.5));
  const names = Array.from({ length: size }, (_, i) => `word${i}`);
  await KeyedVectors.fromVectors(names, { data, dimensions }).save(file);
  const [ours, theirs]: [number[], number[]] = [[], []];
  let kv: KeyedVectors | undefined;
  for (let round = 0; round < rounds; round++) {
    ours.push((await timed(async () => (kv = await loadWordVectors(file, { threads })))).seconds);
    if (round === 0 && rival !== undefined) theirs.push((await rival.measure({ kind: 'load', file })).seconds);
  }
  row(
    'load .vec 400,000 x 100',
    ours,
    theirs,
    (seconds) => `${seconds.toFixed(2)} s`,
    (a, b) => b / a,
  );
  const searches: number[] = [];
  for (let i = 0; i < 50; i++) searches.push((await timed(() => kv!.mostSimilar(`word${i * 7919}`))).seconds);
  const bandwidth = (size * dimensions * 4) / median(searches) / 1e9;
  row(
    `mostSimilar there, ${bandwidth.toFixed(1)} GB/s`,
    searches,
    [],
    (seconds) => `${(1000 * seconds).toFixed(1)} ms`,
    (a, b) => b / a,
  );
}

function row(
  name: string,
  ours: readonly number[],
  theirs: readonly number[],
  show: (value: number) => string,
  ratio: (a: number, b: number) => number,
): void {
  const compared = theirs.length === 0 ? ['', ''] : [show(median(theirs)), `${ratio(median(ours), median(theirs)).toFixed(1)} x`];
  process.stdout.write(`| ${[name, show(median(ours)), ...compared].join(' | ')} |\n`);
}

/** The first words of the text, unpacked. */
async function writeCorpus(): Promise<void> {
  const input = createReadStream(values.text);
  const text = values.text.endsWith('.gz') ? input.pipe(createGunzip()) : input;
  const output = createWriteStream(corpus);
  let left = wanted;
  for await (const line of createInterface({ input: text })) {
    if (left <= 0) break;
    left -= line.split(' ').length;
    output.write(`${line}\n`);
  }
  await new Promise<void>((resolve) => output.end(resolve));
  input.destroy();
}
