// Compares tokenizers with the reference, npm `tokenizers` (Rust), on generated strings and on shared texts: ids, offsets, word ids, type ids.
//   npm run check:tokenizers -- [NAME...] [--count 200000] [--seed 1] [--texts]
// A NAME is part of a tokenizer's name; those of test/golden and, where they are, of ../shared (BERTHA_SHARED). --texts: all of ../shared/text too.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { createTokenizer } from '../src/architectures/create-tokenizer.js';
import { BerthaError } from '../src/errors.js';
import { bpePhrases } from '../test/support/bpe-variants.js';
import { compareWithOracle, makeOracle } from '../test/support/tokenizer-oracle.js';
import { formKinds, Random, randomText } from '../test/support/tokenizer-strings.js';
import { phrases } from '../test/support/tokenizer-variants.js';
import { unzip } from '../test/support/unzip.js';

const root = fileURLToPath(new URL('../', import.meta.url));
const shared = fileURLToPath(new URL(`${process.env['BERTHA_SHARED'] ?? '../shared'}/`, new URL('../', import.meta.url)));
const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    count: { type: 'string', default: '200000' },
    seed: { type: 'string', default: '1' },
    texts: { type: 'boolean', default: false },
  },
});
const kChunk = 4096;

/** Files of tokenizers by name. */
function* tokenizerFiles(): Generator<[name: string, path: string]> {
  for (const folder of [`${root}test/golden/tokenizers`, `${shared}golden-families/tokenizers`]) {
    for (const name of existsSync(folder) ? readdirSync(folder) : []) {
      const path = `${folder}/${name}/tokenizer.json`;
      if (existsSync(path)) yield [name, path];
    }
  }
  const vocab = `${shared}vocab`;
  for (const name of existsSync(vocab) ? readdirSync(vocab) : []) {
    const match = /^(.*)\.tokenizer\.json(\.gz)?$/.exec(name);
    if (match !== null) yield [match[1]!, `${vocab}/${name}`];
  }
}

function* sharedTexts(): Generator<string> {
  const read = (name: string) => readFileSync(`${shared}text/${name}`);
  for (const name of ['tinyshakespeare.txt', 'wikitext-2.test.txt', 'wikitext-2.valid.txt']) yield* read(name).toString('utf8').split('\n');
  yield* gunzipSync(read('nltk9.txt.gz')).toString('utf8').split('\n');
  for (const file of unzip(read('nltk_udhr2.zip')).values()) yield* file.toString('utf8').split('\n');
}

function* generatedTexts(): Generator<string> {
  const random = new Random(Number(values.seed));
  const all = [...bpePhrases, ...phrases];
  for (let n = Number(values.count); n > 0; n--) yield randomText(random, 14, all, formKinds);
}

function* chunks(texts: Iterable<string>): Generator<string[]> {
  let chunk: string[] = [];
  for (const text of texts) {
    chunk.push(text);
    if (chunk.length < kChunk) continue;
    yield chunk;
    chunk = [];
  }
  yield chunk;
}

let failed = 0;
for (const [name, path] of tokenizerFiles()) {
  if (positionals.length > 0 && !positionals.some((part) => name.includes(part))) continue;
  const bytes = readFileSync(path);
  const tokenizerJson = (path.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  let count = 0;
  let problems: readonly string[] = [];
  try {
    const [ours, theirs] = [createTokenizer({ tokenizerJson }), makeOracle(tokenizerJson)];
    for (const source of values.texts ? [generatedTexts(), sharedTexts()] : [generatedTexts()]) {
      for (const chunk of chunks(source)) {
        problems = await compareWithOracle(ours, theirs, chunk);
        count += chunk.length;
        if (problems.length > 0) break;
      }
      if (problems.length > 0) break;
    }
  } catch (error) {
    if (!(error instanceof BerthaError)) throw error;
    problems = [error.message];
  }
  if (problems.length > 0) failed++;
  process.stdout.write(`${name.padEnd(40)} ${problems.length === 0 ? 'equal' : 'DIFFERS'}  ${count} texts\n`);
  for (const problem of problems.slice(0, 5)) process.stdout.write(`    ${problem}\n`);
}
process.exitCode = failed > 0 ? 1 : 0;
