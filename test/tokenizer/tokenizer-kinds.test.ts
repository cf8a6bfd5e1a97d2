// The tokenizers that the tokenizers library's own pages teach to build: each against the reference, npm `tokenizers` (Rust).
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import { numeric } from '../../src/tokenizer/unicode/characters.js';
import { reorderedMarks } from '../../src/tokenizer/unicode/normal-forms.js';
import { suite } from '../support/suite.js';
import {
  added,
  addedNormalized,
  bert,
  digits,
  json,
  normalizers,
  punctuation,
  sequence,
  testKinds,
  vocab,
  whitespace,
  whitespaceSplit,
  wordLevel,
} from '../support/tokenizer-builder.js';
import { compareWithOracle, makeOracle } from '../support/tokenizer-oracle.js';
import { scalarBlocks } from '../support/tokenizer-strings.js';
import { bertNormalizer } from '../support/tokenizer-variants.js';

const t = suite('tokenizer-kinds');

const kinds: Record<string, object> = {
  Whitespace: { pre_tokenizer: whitespace },
  'Whitespace, nothing normalized': { pre_tokenizer: whitespace, normalizer: null },
  'Whitespace, accents kept': { pre_tokenizer: whitespace, normalizer: bertNormalizer({ strip_accents: false }) },
  'Whitespace, text not cleaned': { pre_tokenizer: whitespace, normalizer: bertNormalizer({ clean_text: false }) },
  'Whitespace, added tokens': { pre_tokenizer: whitespace, added_tokens: added },
  'Whitespace, normalized added tokens': { pre_tokenizer: whitespace, added_tokens: addedNormalized },
  WhitespaceSplit: { pre_tokenizer: whitespaceSplit },
  'BertPreTokenizer, each digit': { pre_tokenizer: sequence(bert, digits(true)) },
  'BertPreTokenizer, runs of digits': { pre_tokenizer: sequence(bert, digits(false)) },
  'Whitespace, each digit': { pre_tokenizer: sequence(whitespace, digits(true)) },
  'Whitespace, runs of digits': { pre_tokenizer: sequence(whitespace, digits(false)), added_tokens: addedNormalized },
  'digits before white space': { pre_tokenizer: sequence(digits(false), whitespaceSplit) },
  'runs of punctuation': { pre_tokenizer: sequence(whitespaceSplit, punctuation('Contiguous')) },
  'punctuation removed': { pre_tokenizer: sequence(whitespaceSplit, punctuation('Removed'), digits(true)) },
  'everything at once': { pre_tokenizer: sequence(whitespace, sequence(punctuation('Contiguous')), digits(false), whitespaceSplit) },
  'NFD, Lowercase, StripAccents': { normalizer: normalizers('NFD', 'Lowercase', 'StripAccents') },
  'NFD, StripAccents, Whitespace': { normalizer: normalizers('NFD', 'StripAccents'), pre_tokenizer: whitespace, added_tokens: added },
  'Lowercase, NFD, StripAccents, normalized added tokens': {
    normalizer: normalizers('Lowercase', 'NFD', 'StripAccents'),
    added_tokens: addedNormalized,
  },
  WordLevel: { pre_tokenizer: whitespace, normalizer: null, model: wordLevel },
  'WordLevel with BERT around it': { model: wordLevel, added_tokens: added },
};

testKinds(t, kinds, 150);

for (const name of ['Whitespace', 'BertPreTokenizer, each digit', 'NFD, Lowercase, StripAccents']) {
  t(`tokenizes scalar values as the reference: ${name}`, async () => {
    const texts: string[] = [];
    for (const start of scalarBlocks()) {
      const block = Array.from({ length: 64 }, (_, i) => String.fromCodePoint(start + i));
      texts.push(block.map((c) => `a${c}b ${c}= ${c}`).join(' '));
    }
    const text = json(kinds[name] as object);
    const differences = await compareWithOracle(createTokenizer({ tokenizerJson: text }), makeOracle(text), texts);
    assert.is(differences.length, 0, differences.join('\n'));
  });
}

t('takes a word longer than any token for unknown with WordLevel, from its beginning to its end', () => {
  const tokenizer = createTokenizer({ tokenizerJson: json({ model: wordLevel, normalizer: null }) });
  const { ids, offsets } = tokenizer.encode(`${'a'.repeat(100_000)} hello`, { offsets: true });
  assert.equal([...ids], [2, 1, vocab['hello'], 3]);
  assert.equal([...(offsets as Int32Array)], [0, 0, 0, 100_000, 100_001, 100_006, 0, 0]);
});

t('keeps numbers out of the marks that reordering may move', () => {
  for (const c of reorderedMarks) assert.not(numeric.has(c), `U+${c.toString(16)}`);
});

t('refuses pre-tokenizers that it cannot follow, naming them and what it can', () => {
  const refuses = (pre_tokenizer: object, message: RegExp) =>
    assert.throws(
      () => createTokenizer({ tokenizerJson: json({ pre_tokenizer }) }),
      (error: { code?: string; message: string }) => error.code === 'TOKENIZER' && message.test(error.message),
    );
  refuses({ type: 'FixedLength' }, /Whitespace, WhitespaceSplit.*Digits.*pre_tokenizer.*"FixedLength"/);
  refuses(sequence({ type: 'Metaspace' }, whitespace), /Metaspace as the last.*"Metaspace"/);
  refuses(sequence({ type: 'ByteLevel' }, whitespace), /Split.*"ByteLevel"/);
  refuses(sequence(whitespace, { type: 'UnicodeScripts' }), /Split.*"UnicodeScripts"/);
});

t.run();
