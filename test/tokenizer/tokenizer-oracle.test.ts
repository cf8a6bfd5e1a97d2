// Compares ids, offsets, word ids, type ids and the special tokens mask with the reference, npm `tokenizers` (Rust).
import { existsSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import { skip } from '../support/skip.js';
import { compareWithOracle, makeOracle } from '../support/tokenizer-oracle.js';
import { Random, randomText, scalarBlocks } from '../support/tokenizer-strings.js';
import { phrases, type TokenizerJson, variants } from '../support/tokenizer-variants.js';
import { unzip } from '../support/unzip.js';
import { isFull } from '../support/full.js';

const t = suite('tokenizer-oracle');
const root = new URL('../../', import.meta.url);
const shared = new URL(`${process.env['BERTHA_SHARED'] ?? '../shared'}/`, root);

const read = (path: string) => readFileSync(new URL(path, root), 'utf8');
const uncased = read('weights/all-MiniLM-L6-v2/tokenizer.json');
const checkedIn: Record<string, string> = {
  uncased,
  cased: read('test/golden/tiny/bert-cased/tokenizer.json'),
  chinese: read('test/golden/tiny/bert-chinese/tokenizer.json'),
  mpnet: read('test/golden/tiny/mpnet-base/tokenizer.json'),
};
const published = ['bert-base-uncased', 'bert-base-cased', 'bert-base-chinese', 'bert-base-multilingual-cased'];

async function compare(tokenizerJson: string, texts: readonly string[]): Promise<void> {
  const differences = await compareWithOracle(createTokenizer({ tokenizerJson }), makeOracle(tokenizerJson), texts);
  assert.is(differences.length, 0, differences.join('\n'));
}

/** Every scalar value between letters and alone. */
function scalarTexts(): string[] {
  const texts: string[] = [];
  for (const start of scalarBlocks()) {
    const characters = Array.from({ length: 64 }, (_, i) => String.fromCodePoint(start + i));
    texts.push(characters.map((c) => `a${c}b ${c}`).join(' '));
  }
  return texts;
}

function randomTexts(seed: number, count: number): string[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => randomText(random, 14, phrases));
}

for (const [name, json] of Object.entries(checkedIn)) {
  if (name === 'uncased' || name === 'cased') t(`tokenizes scalar values as the reference: ${name}`, () => compare(json, scalarTexts()));
  t(`tokenizes generated strings as the reference: ${name}`, () => compare(json, randomTexts(1, isFull ? 250_000 : 5_000)));
}

for (const [name, json] of variants(JSON.parse(uncased) as TokenizerJson)) {
  t(`tokenizes generated strings as the reference: ${name}`, () => compare(JSON.stringify(json), randomTexts(2, isFull ? 20_000 : 1_500)));
}

t('tokenizes the examples of the parity list as the reference', async () => {
  const texts = [
    ...['', ' \t\n', 'a\0b', 'a\ufffdb', 'note\nbook', 'a\u00a0b\u3000c\u1680d\u2028e\u2029f', 'ΟΔΟΣ ΣΑΣ', 'a𠀀b', '\u{2b820}', 'ﬁ ß ẞ'],
    ...['\u200b', '\u200d', '\ufeff', '\u00ad', '\u061c', '\ue000', '\u{e0041}', '\u007f', '\u0080', '\u0085'].map((c) => `a${c}b`),
    ...[
      '$ ^ ` ~ | + = < > “quoted” ¿qué? 「日本」',
      'naïve café',
      'Kantō lǜshi',
      'İstanbul',
      'e\u0301\u0316\u0323',
      'हिन्दी',
      'が ガ',
      '한국어 각',
    ],
    ...['👩‍👩‍👧‍👦 family', '😀😃', 'x'.repeat(100), 'x'.repeat(101), '😀'.repeat(100), '😀'.repeat(101), 'é'.repeat(100), '[CLS] [SEP] [MASK]'],
    ...['a\ud800b', 'a\udc00b', '\ud800', '\udc00\ud800', '[\ud800MASK]'],
  ];
  for (const json of Object.values(checkedIn)) await compare(json, texts);
});

function sharedText(): string[] {
  const lines = (name: string) => readFileSync(new URL(`text/${name}`, shared), 'utf8').split('\n');
  const gzipped = gunzipSync(readFileSync(new URL('text/nltk9.txt.gz', shared)))
    .toString('utf8')
    .split('\n');
  const declarations = [...unzip(readFileSync(new URL('text/nltk_udhr2.zip', shared))).values()].flatMap((file) =>
    file.toString('utf8').split('\n'),
  );
  return [...lines('tinyshakespeare.txt'), ...lines('wikitext-2.test.txt'), ...declarations, ...gzipped];
}

for (const name of published) {
  t(`tokenizes all shared text and scalar values as the reference: ${name}`, async () => {
    const path = new URL(`vocab/${name}.tokenizer.json`, shared);
    if (!isFull) return skip('only with BERTHA_TEST_FULL=1');
    if (!existsSync(path)) return skip('no shared vocabularies: set BERTHA_SHARED');
    const json = readFileSync(path, 'utf8');
    await compare(json, sharedText());
    await compare(json, scalarTexts());
    await compare(json, randomTexts(3, 20_000));
  });
}

t.run();
