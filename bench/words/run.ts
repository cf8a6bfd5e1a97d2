// `npm run bench:vectors -- [--python PYTHON] [--text FILE] [--words N] [--threads N] [--rounds N] [--only NAME]`: training, loading
// and searching of word vectors, in turns with gensim, and logistic regression with scikit-learn, where a PYTHON that has them is given;
// then two threads beside one, static vectors beside the model they come from, memory, and the event loop. NAME is a part of a row's
// name, or threads, "threads cbow", static, memory, loop. Shorter: --words 100000 --rounds 1 --texts 256 --vocabulary 50000.
import { spawn } from 'node:child_process';
import { createWriteStream, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { createGunzip } from 'node:zlib';
import { createReadStream } from 'node:fs';
import { systemInfo } from '../../src/index.js';
import { LogisticRegression } from '../../src/learn/index.js';
import { KeyedVectors, loadWordVectors } from '../../src/word-vectors/index.js';
import { measureReadBandwidth } from './bandwidth.js';
import { measureLoop } from './loop.js';
import { measureMemory } from './memory.js';
import { measureStatic } from './static.js';
import { measureTwoThreads } from './threads.js';
import { median, type Time, timed } from './timing.js';
import { gloveSpeed, showRecords, showWords, wordTrainers } from './trainers.js';

const { values } = parseArgs({
  options: {
    python: { type: 'string' },
    text: { type: 'string', default: join(process.env['BERTHA_SHARED'] ?? '../shared', 'text', 'nltk9.txt.gz') },
    words: { type: 'string', default: '1060000' },
    threads: { type: 'string', default: '1' },
    rounds: { type: 'string', default: '3' },
    only: { type: 'string', default: '' },
    texts: { type: 'string', default: '1024' },
    vocabulary: { type: 'string', default: '400000' },
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

await writeCorpus();
const { chosen } = systemInfo().isa;
process.stdout.write(`${cpus()[0]!.model}, ${chosen}, ${threads} threads, ${wanted} words, medians of ${rounds}\n\n`);
process.stdout.write('| | Bertha | gensim | ratio |\n|---|---|---|---|\n');
const rival = values.python === undefined ? undefined : new Rival(values.python);
const isAsked = (name: string): boolean => name.includes(values.only);

for (const [name, speed] of Object.entries(wordTrainers).filter(([key]) => isAsked(key))) {
  const [ours, theirs]: [number[], number[]] = [[], []];
  for (let round = 0; round < rounds; round++) {
    ours.push(await speed(corpus, threads));
    const time = await rival?.measure({ kind: name.replace(' skip-gram', ''), corpus, threads });
    if (time !== undefined) theirs.push(time.words! / time.seconds);
  }
  row(name, ours, theirs, showWords, (a, b) => a / b);
}
if (isAsked('glove')) {
  const speeds: number[] = [];
  for (let round = 0; round < rounds; round++) speeds.push((await gloveSpeed(corpus, threads)) / threads);
  row('glove, of a thread', speeds, [], showRecords, (a, b) => a / b);
}
if (isAsked('load') || isAsked('mostSimilar')) await measureQueries();
for (const classes of [2, 20])
  for (const type of ['float32', 'float64'] as const) if (isAsked('logistic')) await measureLogistic(classes, type);
rival?.close();
if (isAsked('threads') || values.only.startsWith('threads ')) await measureTwoThreads(corpus, rounds, values.only.slice('threads '.length));
if (isAsked('static')) await measureStatic(corpus, folder, rounds, Number(values.texts));
if (isAsked('memory')) await measureMemory(folder, threads, Number(values.vocabulary));
if (isAsked('loop')) await measureLoop(folder, threads);

/**
 * LogisticRegression on 20,000 x 384 drawn rows whose classes differ by a shift, beside scikit-learn's on the same numbers. It sums in
 * float64 whatever the rows are, scikit-learn in float32 where they are; its BLAS has one thread, the pool all that there are.
 */
async function measureLogistic(classes: number, type: 'float32' | 'float64'): Promise<void> {
  const [size, dimensions, file] = [20_000, 384, join(folder, 'rows.bin')];
  const noise = (i: number): number => Math.sin(i * 12.9898) * 43758.5453 - Math.floor(Math.sin(i * 12.9898) * 43758.5453) - 0.5;
  const shift = (row: number, column: number): number => 0.1 * noise(7 + (row % classes) * dimensions + column);
  const drawn = (_: unknown, i: number): number => 0.2 * (noise(i + 1000) + shift(Math.floor(i / dimensions), i % dimensions));
  const count = { length: size * dimensions };
  const data = type === 'float32' ? Float32Array.from(count, drawn) : Float64Array.from(count, drawn);
  writeFileSync(file, data);
  const labels = Array.from({ length: size }, (_, row) => row % classes);
  const [ours, theirs]: [number[], number[]] = [[], []];
  let iterations = '';
  for (let round = 0; round < rounds; round++) {
    const model = new LogisticRegression();
    ours.push((await timed(() => model.fit({ data, dimensions }, labels))).seconds);
    const time = await rival?.measure({ kind: 'logistic', file, type, columns: dimensions, classes });
    if (time !== undefined) theirs.push(time.seconds);
    iterations = `${model.nIter}${time === undefined ? '' : ` and ${time.words}`} iterations`;
  }
  row(
    `logistic regression, scikit-learn beside it, 20,000 x 384 ${type}, ${classes} classes, ${iterations}, ${availableParallelism()} threads`,
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
  process.stderr.write('a .vec of 400,000 x 100 is written ...\n');
  const data = Float32Array.from({ length: size * dimensions }, (_, i) => Math.fround(Math.sin(i * 12.9898) * 0.5));
  const names = Array.from({ length: size }, (_, i) => `word${i}`);
  await KeyedVectors.fromVectors(names, { data, dimensions }).save(file);
  const readers = availableParallelism();
  // gensim takes close to a minute: once, and not between the rounds.
  if (rival !== undefined) process.stderr.write('gensim reads a .vec of 400,000 x 100 ...\n');
  const theirs = rival === undefined ? [] : [(await rival.measure({ kind: 'load', file })).seconds];
  let kv: KeyedVectors | undefined;
  for (const count of new Set([1, readers])) {
    const ours: number[] = [];
    for (let round = 0; round < rounds; round++)
      ours.push((await timed(async () => (kv = await loadWordVectors(file, { threads: count })))).seconds);
    row(
      `load .vec 400,000 x 100, ${count} threads`,
      ours,
      theirs,
      (seconds) => `${seconds.toFixed(2)} s`,
      (a, b) => b / a,
    );
  }
  const searches: number[] = [];
  for (let i = 0; i < 50; i++) searches.push((await timed(() => kv!.mostSimilar(`word${i * 7919}`))).seconds);
  const [used, there] = [(size * dimensions * 4) / median(searches), await measureReadBandwidth(readers)];
  const share = `${(used / 1e9).toFixed(1)} of the ${(there / 1e9).toFixed(1)} GB/s that ${readers} threads read`;
  row(
    `mostSimilar there, ${share} (${((100 * used) / there).toFixed(0)} %)`,
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
  digits = 1,
): void {
  const compared = theirs.length === 0 ? ['', ''] : [show(median(theirs)), `${ratio(median(ours), median(theirs)).toFixed(digits)} x`];
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
