// The Unigram model and what comes with it, Metaspace and Precompiled, beside the reference, npm `tokenizers` (Rust).
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import { isFull } from '../support/full.js';
import { compareWithOracle, makeOracle } from '../support/tokenizer-oracle.js';
import { formKinds, Random, randomText } from '../support/tokenizer-strings.js';
import { unigramPhrases, unigramVariants } from '../support/unigram-variants.js';

const t = suite('unigram');

for (const [name, json] of unigramVariants(new Random(18))) {
  t(`tokenizes generated strings as the reference: ${name}`, async () => {
    const random = new Random(181);
    const texts = Array.from({ length: isFull ? 50_000 : 400 }, () => randomText(random, 14, unigramPhrases, formKinds));
    const tokenizerJson = JSON.stringify(json);
    const differences = await compareWithOracle(createTokenizer({ tokenizerJson }), makeOracle(tokenizerJson), texts);
    assert.is(differences.length, 0, differences.join('\n'));
  });
}

t.run();
