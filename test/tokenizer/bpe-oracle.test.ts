// Compares byte-level and other BPE tokenizers with the reference, npm `tokenizers` (Rust): ids, offsets, word ids, type ids, decoded text.
import { readFileSync } from 'node:fs';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import { type BpeJson, bpePhrases, bpeVariants } from '../support/bpe-variants.js';
import { isFull } from '../support/full.js';
import { compareWithOracle, makeOracle } from '../support/tokenizer-oracle.js';
import { formKinds, Random, randomText, scalarBlocks } from '../support/tokenizer-strings.js';

const t = suite('bpe-oracle');
const base = JSON.parse(readFileSync(new URL('../golden/tokenizers/byte-bpe/tokenizer.json', import.meta.url), 'utf8')) as BpeJson;
const variants = bpeVariants(base);

function randomTexts(seed: number, count: number): string[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => randomText(random, 14, bpePhrases, formKinds));
}

async function compare(tokenizerJson: string, texts: readonly string[]): Promise<void> {
  const differences = await compareWithOracle(createTokenizer({ tokenizerJson }), makeOracle(tokenizerJson), texts);
  assert.is(differences.length, 0, differences.join('\n'));
}

for (const [name, json] of variants) {
  t(`tokenizes generated strings as the reference: ${name}`, () => compare(JSON.stringify(json), randomTexts(4, isFull ? 20_000 : 300)));
}

for (const name of ['as it is', 'cl100k', 'NFC']) {
  t(`tokenizes scalar values as the reference: ${name}`, async () => {
    const texts = scalarBlocks()
      .filter((start) => isFull || start < 0x3000 || start % 512 === 0)
      .map((start) =>
        Array.from({ length: 64 }, (_, i) => `a${String.fromCodePoint(start + i)}b ${String.fromCodePoint(start + i)}'s`).join(''),
      );
    await compare(JSON.stringify(variants.get(name)), texts);
  });
}

t.run();
