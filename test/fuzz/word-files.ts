// `npm run fuzz:vectors [-- --count N] [--seed S]`: mutated files of word vectors through their readers: word2vec's text and binary, GloVe's
// text, models of fastText, safetensors, counts. Each file is read whole and gives finite numbers, or is refused with a BerthaError, in
// less than two seconds of processor time and without memory for what it only promises. What does neither is printed in base64.
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { BerthaError } from '../../src/errors.js';
import { KeyedVectors, type LoadOptions, loadWordVectors } from '../../src/word-vectors/index.js';
import { Random } from '../support/random.js';
import { mutate } from './mutate.js';

const kSlowMs = 2000;
/** What a file of some kilobytes may take beside itself. */
const kMostBytes = 256e6;
const golden = fileURLToPath(new URL('../golden-vectors/files/', import.meta.url));

/** What a run found. */
export interface WordFileFindings {
  readonly taken: number;
  readonly refused: ReadonlyMap<string, number>;
  readonly failures: readonly string[];
}

interface Kind {
  readonly name: string;
  readonly seeds: readonly Buffer[];
  /** Those that are no fault: every second file is made of one, so that mutations get past the first checks. */
  readonly sound: readonly Buffer[];
  readonly options: LoadOptions;
}

async function kinds(folder: string): Promise<Kind[]> {
  const seeds = new Map<string, Buffer[]>();
  for (const file of readdirSync(golden)) {
    const bytes = readFileSync(join(golden, file));
    if (bytes.length > 8192 || !['.vec', '.txt', '.bin', '.safetensors'].includes(extname(file))) continue;
    const kind = file.startsWith('fasttext') ? 'fasttext.bin' : `x${extname(file)}`;
    seeds.set(kind, [...(seeds.get(kind) ?? []), bytes]);
  }
  const words = ['king', 'queen', '北京'];
  const small = KeyedVectors.fromVectors(words, { data: new Random(3).floats(15), dimensions: 5 }, [3, 2, 1]);
  for (const options of [{}, { quantize: 'int8' }, { quantize: 'binary' }] as const) {
    const file = join(folder, 'seed.safetensors');
    await small.save(file, options);
    seeds.set('x.safetensors', [...(seeds.get('x.safetensors') ?? []), readFileSync(file)]);
  }
  const counts = join(folder, 'counts.txt');
  writeFileSync(counts, 'king 3\nqueen 2\n');
  const made: Kind[] = [];
  for (const [name, own] of seeds) {
    const sound: Buffer[] = [];
    for (const bytes of own) {
      writeFileSync(join(folder, name), bytes);
      if (await loadWordVectors(join(folder, name)).catch(() => undefined)) sound.push(bytes);
    }
    made.push({ name, seeds: own, sound, options: made.length % 2 === 0 ? {} : { vocabulary: counts } });
  }
  return made;
}

/** Reads `count` mutated files; the same seed makes the same files. */
export async function fuzzWordFiles(count: number, seed: number): Promise<ReadonlyMap<string, WordFileFindings>> {
  const folder = mkdtempSync(join(tmpdir(), 'bertha-fuzz-words-'));
  const results = new Map<string, WordFileFindings>();
  try {
    const all = await kinds(folder);
    for (const [i, kind] of all.entries())
      results.set(kind.name, await fuzzKind(kind, Math.ceil(count / all.length), seed * 31 + i, folder));
  } finally {
    rmSync(folder, { recursive: true });
  }
  return results;
}

async function fuzzKind({ name, seeds, sound, options }: Kind, count: number, seed: number, folder: string): Promise<WordFileFindings> {
  const random = new Random(seed);
  const refused = new Map<string, number>();
  const failures: string[] = [];
  let taken = 0;
  const file = join(folder, name);
  for (let n = 0; n < count; n++) {
    const bytes = mutate(random.pick(n % 2 === 0 ? sound : seeds), seeds, random);
    writeFileSync(file, bytes);
    const before = process.memoryUsage.rss();
    const began = process.cpuUsage();
    let problem: unknown;
    try {
      const kv = await loadWordVectors(file, { ...options, threads: 1 });
      const { data } = await kv.toMatrix();
      if (!data.every(Number.isFinite)) problem = new Error('it has numbers that are not finite');
      if (kv.words().length !== kv.size || kv.size < 1) problem = new Error('its words do not go with its vectors');
      taken++;
    } catch (error) {
      if (error instanceof BerthaError) refused.set(error.code, (refused.get(error.code) ?? 0) + 1);
      else problem = error;
    }
    const { user, system } = process.cpuUsage(began);
    // Of processor time: other programs of the machine do not add to it.
    if ((user + system) / 1000 > kSlowMs) problem = new Error('it took too long');
    if (process.memoryUsage.rss() - before > kMostBytes) problem = new Error('it took too much memory');
    if (problem === undefined) continue;
    failures.push(`${name}: ${problem instanceof Error ? problem.stack : String(problem)}\n  ${bytes.toString('base64')}`);
  }
  return { taken, refused, failures };
}

async function main(): Promise<void> {
  const { values } = parseArgs({ options: { count: { type: 'string', default: '100000' }, seed: { type: 'string', default: '1' } } });
  const started = performance.now();
  let [failed, total] = [0, 0];
  for (const [name, { taken, refused, failures }] of await fuzzWordFiles(Number(values.count), Number(values.seed))) {
    const codes = [...refused].sort((a, b) => b[1] - a[1]).map(([code, times]) => `${code} ${times}`);
    total += taken + [...refused.values()].reduce((a, b) => a + b, 0);
    failed += failures.length;
    process.stdout.write(`${name}: ${taken} taken, refused: ${codes.join(', ')}\n`);
    for (const failure of failures.slice(0, 5)) process.stdout.write(`FAILED ${failure}\n`);
  }
  process.stdout.write(`${total} files in ${((performance.now() - started) / 1000).toFixed(0)} s, ${failed} failures\n`);
  process.exitCode = failed > 0 ? 1 : 0;
}

if (process.argv[1] !== undefined && import.meta.url.endsWith(process.argv[1].split('/').at(-1)!)) await main();
