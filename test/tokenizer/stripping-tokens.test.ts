// Added tokens that are found in normalized text and take the white space beside them, where white space is a part of words otherwise.
import { readFileSync } from 'node:fs';
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import { isFull } from '../support/full.js';
import { suite } from '../support/suite.js';
import { compareWithOracle, makeOracle } from '../support/tokenizer-oracle.js';
import { formKinds, Random, randomText } from '../support/tokenizer-strings.js';
import { addedToken } from '../support/tokenizer-variants.js';
import { charsmap, randomPieces, unigramPhrases } from '../support/unigram-variants.js';

const t = suite('stripping tokens');
const METASPACE = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
const BYTES = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
const CL100K =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
const spaces = [' ', '  ', '\n', '\t ', '\u3000', '\u00a0', '\r\n', '\u2028'];
const contents = ['<l>', '<r>', '<lr>', '<plain>', 'x y', '①'];
const unigram = { type: 'Unigram', unk_id: 0, byte_fallback: false, vocab: randomPieces(new Random(18)) };
const bpe = (
  JSON.parse(readFileSync(new URL('../golden/tokenizers/byte-bpe/tokenizer.json', import.meta.url), 'utf8')) as { model: object }
).model;

function jsonOf(model: object, pre_tokenizer: object | null, normalizer: object | null): string {
  const vocab = (model as { vocab: readonly unknown[] | object }).vocab;
  const first = Array.isArray(vocab) ? vocab.length : Object.keys(vocab).length;
  const flags = [
    { lstrip: true },
    { rstrip: true },
    { lstrip: true, rstrip: true },
    {},
    { lstrip: true, single_word: true },
    { lstrip: true },
  ];
  const added_tokens = contents.map((content, k) => addedToken(content, first + k, { normalized: true, ...flags[k] }));
  return JSON.stringify({ version: '1.0', added_tokens, normalizer, pre_tokenizer, post_processor: null, decoder: null, model });
}

const sequence = (...pretokenizers: object[]) => ({ type: 'Sequence', pretokenizers });
const precompiled = { type: 'Precompiled', precompiled_charsmap: charsmap };
const tokenizers: readonly [name: string, json: string][] = [
  ['Metaspace', jsonOf(unigram, METASPACE, null)],
  ['Metaspace, first, precompiled', jsonOf(unigram, { ...METASPACE, prepend_scheme: 'first' }, precompiled)],
  ['Metaspace, not split', jsonOf(unigram, { ...METASPACE, split: false }, { type: 'NFKC' })],
  ['Digits before Metaspace', jsonOf(unigram, sequence({ type: 'Digits', individual_digits: true }, METASPACE), { type: 'Lowercase' })],
  ['no pre-tokenizer', jsonOf(unigram, null, { type: 'NFC' })],
  ['ByteLevel', jsonOf(bpe, BYTES, null)],
  ['ByteLevel without a pattern', jsonOf(bpe, { ...BYTES, use_regex: false }, { type: 'NFC' })],
  [
    'cl100k',
    jsonOf(
      bpe,
      sequence({ type: 'Split', pattern: { Regex: CL100K }, behavior: 'Isolated', invert: false }, { ...BYTES, use_regex: false }),
      null,
    ),
  ],
];

for (const [name, tokenizerJson] of tokenizers) {
  t(`take what the reference lets them take: ${name}`, async () => {
    const random = new Random(182);
    const some = [...contents, ...spaces];
    const texts = Array.from({ length: isFull ? 20_000 : 150 }, () =>
      randomText(random, 10, [...unigramPhrases, ...some, ...some], formKinds),
    );
    for (let k = 0; k < 150; k++) {
      const parts = [...some, 'a', '.', '1'];
      texts.push(Array.from({ length: 2 + random.below(8) }, () => random.pick(parts)).join(''));
    }
    // Longer than what a text is read in, and than what of a word is kept up to date.
    for (const space of [' ', '\n'])
      texts.push(
        `${space.repeat(6000)}<r>`,
        `${'a'.repeat(9000)}${space.repeat(6000)}a`,
        `a.${space.repeat(70_000)}<l>${space.repeat(2000)}<lr>${space.repeat(3000)}b`,
      );
    const differences = await compareWithOracle(createTokenizer({ tokenizerJson }), makeOracle(tokenizerJson), texts);
    assert.is(differences.length, 0, differences.join('\n').slice(0, 2000));
  });
}

t.run();
