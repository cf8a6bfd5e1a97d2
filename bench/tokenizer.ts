// Tokenizer speed beside its rivals, in one interleaved run: npm run bench:tokenizer [-- --rounds N]
// MB are 10^6 bytes of UTF-8. Every way gets the same texts and returns ids with special tokens; Rust's batch call uses all cores.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { parseArgs } from 'node:util';
import tokenizers from 'tokenizers';
import { createTokenizer } from '../src/architectures/create-tokenizer.js';
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
const shared = new URL(`${process.env['BERTHA_SHARED'] ?? '../shared'}/text/`, root);
const weights = new URL('weights/all-MiniLM-L6-v2/', root);
const { values: flags } = parseArgs({ options: { rounds: { type: 'string', default: '9' } } });

function lines(path: URL): string[] {
  return readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '');
}

/** English by the kind of its lines. Without the shared corpora: this repository's own pages, several times over. */
function corpora(): Map<string, string[]> {
  if (existsSync(shared)) {
    return new Map([
      ['WikiText-2, paragraphs', lines(new URL('wikitext-2.test.txt', shared))],
      ['Shakespeare, lines', lines(new URL('tinyshakespeare.txt', shared))],
    ]);
  }
  const docs = readdirSync(new URL('docs/', root)).filter((name) => name.endsWith('.md'));
  const pages = [new URL('README.md', root), ...docs.map((name) => new URL(`docs/${name}`, root))].flatMap(lines);
  return new Map([['own documentation, lines, 20 times', new Array<string[]>(20).fill(pages).flat()]]);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] as number) + (sorted[sorted.length >> 1] as number)) / 2;
}

function makeWays(): Way[] {
  const tokenizerJson = readFileSync(new URL('tokenizer.json', weights), 'utf8');
  const json = JSON.parse(tokenizerJson) as object;
  const config = JSON.parse(readFileSync(new URL('tokenizer_config.json', weights), 'utf8')) as object;
  const ours = createTokenizer({ tokenizerJson });
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

async function compare(name: string, texts: readonly string[], rounds: number): Promise<boolean> {
  const megabytes = texts.reduce((sum, text) => sum + Buffer.byteLength(text), 0) / 1e6;
  const ways = makeWays();
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
  return median(rust.times) >= 1.5 * median(ours.times) && median(js.times) >= 3 * median(ours.times);
}

async function main(): Promise<void> {
  installRivals();
  const rounds = Number(flags.rounds);
  if (!Number.isInteger(rounds) || rounds < 1)
    throw new Error(`Expected a whole number above 0 for --rounds but received ${flags.rounds}.`);
  const versions = `@huggingface/tokenizers ${rivalVersion('@huggingface/tokenizers')}, Node ${process.version}`;
  console.log(`${cpus()[0]?.model ?? 'unknown processor'}, ${cpus().length} cores; ${versions}; all-MiniLM-L6-v2`);
  let isMet = true;
  for (const [name, texts] of corpora()) isMet = (await compare(name, texts, rounds)) && isMet;
  console.log(`\nGoal, encodeBatch at least 1.5x Rust and 3x JavaScript: ${isMet ? 'met' : 'MISSED'}`);
  if (!isMet) process.exitCode = 1;
}

void main();
