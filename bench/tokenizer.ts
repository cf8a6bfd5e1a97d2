// Tokenizer speed beside its rivals, in one interleaved run: npm run bench:tokenizer [-- NAME...] [--rounds N]
// NAME is all-MiniLM-L6-v2 (WordPiece, the default) or a tokenizer of ../shared/vocab: roberta-base, modernbert-base (BPE), xlm-roberta-base (Unigram).
// MB are 10^6 bytes of UTF-8. Every way gets the same texts and returns ids with special tokens; Rust's batch call uses all cores.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import tokenizers from 'tokenizers';
import { createTokenizer } from '../src/architectures/create-tokenizer.js';
import { unzip } from '../test/support/unzip.js';
import { installRivals, requireRival, rivalVersion } from './rivals.js';

interface JsTokenizer {
  encode(text: string): { ids: number[] };
}
type JsTokenizerClass = new (tokenizer: object, config: object) => JsTokenizer;

interface Way {
  readonly name: string;
  /** Tokenizes all texts; the number of tokens. */
  readonly run: (texts: readonly string[]) => Promise<number> | number;
  readonly times: number[];
}

const root = new URL('../', import.meta.url);
const sharedFolder = new URL(`${process.env['BERTHA_SHARED'] ?? '../shared'}/`, root);
const shared = new URL('text/', sharedFolder);
const bundled = 'all-MiniLM-L6-v2';
const weights = new URL('weights/all-MiniLM-L6-v2/', root);
const { values: flags, positionals } = parseArgs({
  allowPositionals: true,
  options: { rounds: { type: 'string', default: '9' } },
});

function lines(path: URL): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

/** English by the kind of its lines, and declarations in hundreds of languages and thirty scripts. Without the shared corpora: this repository's own pages, several times over. */
function corpora(): Map<string, string[]> {
  if (existsSync(shared)) {
    return new Map([
      ['WikiText-2, paragraphs', lines(new URL('wikitext-2.test.txt', shared))],
      ['Shakespeare, lines', lines(new URL('tinyshakespeare.txt', shared))],
      ['human rights in all languages, lines', declarations()],
    ]);
  }
  const docs = readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md'));
  const pages = [new URL('README.md', root), ...docs.map((name) => new URL(`docs/${name}`, root))].flatMap(lines);
  return new Map([['own documentation, lines, 20 times', new Array<string[]>(20).fill(pages).flat()]]);
}

/** Every third declaration that is UTF-8: about 1.5 MB. */
function declarations(): string[] {
  const files = [...unzip(readFileSync(new URL('nltk_udhr2.zip', shared))).values()].map((bytes) => bytes.toString('utf8'));
  const texts = files.filter((text, i) => i % 3 === 0 && !text.includes('\ufffd'));
  return texts.flatMap((text) => text.split('\n').filter((line) => line.trim() !== ''));
}

/** tokenizer.json and tokenizer_config.json of a tokenizer by its name. */
function filesOf(name: string): { tokenizerJson: string; config: object } {
  if (name === bundled) {
    const config = JSON.parse(readFileSync(new URL('tokenizer_config.json', weights), 'utf8')) as object;
    return { tokenizerJson: readFileSync(new URL('tokenizer.json', weights), 'utf8'), config };
  }
  const plain = new URL(`vocab/${name}.tokenizer.json`, sharedFolder);
  const zipped = new URL(`vocab/${name}.tokenizer.json.gz`, sharedFolder);
  const bytes = existsSync(plain) ? readFileSync(plain) : gunzipSync(readFileSync(zipped));
  return { tokenizerJson: bytes.toString('utf8'), config: {} };
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] as number) + (sorted[sorted.length >> 1] as number)) / 2;
}

function makeWays(name: string): Way[] {
  const { tokenizerJson, config } = filesOf(name);
  const json = JSON.parse(tokenizerJson) as object;
  const started = performance.now();
  const ours = createTokenizer({ tokenizerJson });
  console.log(`\n${name}: loaded in ${(performance.now() - started).toFixed(0)} ms`);
  const { Tokenizer: JsTokenizer } = requireRival('@huggingface/tokenizers') as { Tokenizer: JsTokenizerClass };
  const theirs = new JsTokenizer(json, config);
  const rust = tokenizers.Tokenizer.fromString(JSON.stringify({ ...json, truncation: null, padding: null }));
  const count = (encodings: readonly { length: number }[]) => encodings.reduce((sum, { length }) => sum + length, 0);
  const way = (name: string, run: Way['run']): Way => ({ name, run, times: [] });
  return [
    way('bertha encodeBatch', (texts) => count(ours.encodeBatch(texts))),
    way('bertha encodeBatch, offsets', (texts) => count(ours.encodeBatch(texts, { offsets: true }))),
    way('bertha encodeIds', (texts) => texts.reduce((sum, text) => sum + ours.encodeIds(text).ids.length, 0)),
    way('tokenizers (Rust) encodeBatch', async (texts) =>
      (await rust.encodeBatch(texts as string[])).reduce((sum, e) => sum + e.getLength(), 0),
    ),
    way('@huggingface/tokenizers encode', (texts) => texts.reduce((sum, text) => sum + theirs.encode(text).ids.length, 0)),
  ];
}

/** Whether encodeBatch is `goal` times as fast as Rust's, and three times as JavaScript's. */
async function compare(ways: readonly Way[], name: string, texts: readonly string[], rounds: number, goal: number): Promise<boolean> {
  const megabytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
  for (const way of ways) way.times.length = 0;
  const tokens = new Set<number>();
  for (let round = 0; round <= rounds; round++) {
    for (const way of ways) {
      const started = performance.now();
      const count = await way.run(texts);
      // The first round warms up; JavaScript's incumbent differs in a few tokens.
      if (round > 0) way.times.push((performance.now() - started) / 1000);
      else if (way.name !== '@huggingface/tokenizers encode') tokens.add(count);
    }
  }
  if (tokens.size !== 1) throw new Error(`Expected one number of tokens but received ${[...tokens].join(', ')}.`);
  const speed = (seconds: number) => megabytes / seconds;
  const [ours, , , rust, js] = ways as [Way, Way, Way, Way, Way];
  console.log(`\n${name}: ${texts.length} texts, ${megabytes.toFixed(2)} MB, ${[...tokens][0]} tokens, ${rounds} rounds`);
  console.log(`${''.padEnd(32)} ${'MB/s median'.padStart(12)} ${'best'.padStart(8)} ${'x Rust'.padStart(8)} ${'x JS'.padStart(8)}`);
  for (const { name: label, times } of ways) {
    const ratio = (other: Way) => (median(other.times) / median(times)).toFixed(2).padStart(8);
    const best = speed(Math.min(...times)).toFixed(1);
    console.log(`${label.padEnd(32)} ${speed(median(times)).toFixed(1).padStart(12)} ${best.padStart(8)} ${ratio(rust)} ${ratio(js)}`);
  }
  return median(rust.times) >= goal * median(ours.times) && median(js.times) >= 3 * median(ours.times);
}

async function main(): Promise<void> {
  installRivals();
  const rounds = Number(flags.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`Expected a whole number above 0 for --rounds but received ${flags.rounds}.`);
  const versions = `@huggingface/tokenizers ${rivalVersion('@huggingface/tokenizers')}, Node ${process.version}`;
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores; ${versions}`);
  let isMet = true;
  for (const tokenizer of positionals.length > 0 ? positionals : [bundled]) {
    const ways = makeWays(tokenizer);
    const goal = tokenizer === bundled ? 1.5 : 1.2;
    for (const [name, texts] of corpora()) isMet = (await compare(ways, name, texts, rounds, goal)) && isMet;
  }
  console.log(`\nGoal, encodeBatch at least 1.5x Rust (BPE, Unigram: 1.2x) and 3x JavaScript: ${isMet ? 'met' : 'MISSED'}`);
  if (!isMet) process.exitCode = 1;
}

void main();
