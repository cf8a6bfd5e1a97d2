// The tokenizers that the tokenizers library's own pages teach to build: each against the reference, npm `tokenizers` (Rust).
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/tokenizer/index.js';
import { numeric, reorderedMarks } from '../../src/tokenizer/unicode.js';
import { suite } from '../support/suite.js';
import { compareWithOracle, makeOracle } from '../support/tokenizer-oracle.js';
import { Random, randomText } from '../support/tokenizer-strings.js';
import { addedToken, bertNormalizer } from '../support/tokenizer-variants.js';

const t = suite('tokenizer-kinds');
const isFull = process.env['BERTHA_TEST_FULL'] === '1';

const special = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]'];
const characters = [...'abcdefghijklmnopqrstuvwxyz0123456789.,!=_$½²٣'];
const words = ['hello', 'Hello', 'wor', '##ld', '##s', '..', '==', '42', '##42', '!=', 'e', 'foo_bar', 'é', 'cafe', 'résumé'];
const tokens = [...new Set([...special, ...words, ...characters, ...characters.map((c) => `##${c}`)])];
const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));

const wordPiece = { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab };
const wordLevel = { type: 'WordLevel', unk_token: '[UNK]', vocab };
const digits = (individual: boolean) => ({ type: 'Digits', individual_digits: individual });
const punctuation = (behavior: string) => ({ type: 'Punctuation', behavior });
const sequence = (...pretokenizers: object[]) => ({ type: 'Sequence', pretokenizers });
const [bert, whitespace, whitespaceSplit] = ['BertPreTokenizer', 'Whitespace', 'WhitespaceSplit'].map((type) => ({ type })) as [
  object,
  object,
  object,
];

const processor = {
  type: 'TemplateProcessing',
  single: [
    { SpecialToken: { id: '[CLS]', type_id: 0 } },
    { Sequence: { id: 'A', type_id: 0 } },
    { SpecialToken: { id: '[SEP]', type_id: 0 } },
  ],
  pair: [{ Sequence: { id: 'A', type_id: 0 } }, { Sequence: { id: 'B', type_id: 1 } }],
  special_tokens: { '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] }, '[SEP]': { id: '[SEP]', ids: [3], tokens: ['[SEP]'] } },
};

const added = ['[MASK]', '=a', 'a.', '1x'].map((content, i) => addedToken(content, vocab[content] ?? tokens.length + i - 1));
const addedNormalized = [
  addedToken('Éa=', tokens.length, { normalized: true }),
  addedToken('1X', tokens.length + 1, { normalized: true, single_word: true }),
];

function json(changes: object): string {
  const rest = { truncation: null, padding: null, added_tokens: [], normalizer: bertNormalizer(), pre_tokenizer: bert };
  return JSON.stringify({ version: '1.0', ...rest, post_processor: processor, decoder: null, model: wordPiece, ...changes });
}

const normalizers = (...types: string[]) => ({ type: 'Sequence', normalizers: types.map((type) => ({ type })) });

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

const phrases = [
  '2\u08e0\u{1d15e}',
  'hello',
  'Héllo ',
  'worlds',
  'foo_bar',
  '==a=',
  '!=',
  '..',
  '42',
  '1x',
  'Éa=',
  '[MASK]',
  '½',
  'x²',
  '=\u0316a\u0316',
  '1\u0316',
  'Ⅳ',
  '𝟘',
  '(a)',
];

function generated(seed: number, count: number): string[] {
  const random = new Random(seed);
  return Array.from({ length: count }, () => randomText(random, 14, phrases));
}

for (const [name, changes] of Object.entries(kinds)) {
  t(`tokenizes generated strings as the reference: ${name}`, async () => {
    const text = json(changes);
    const differences = await compareWithOracle(
      createTokenizer({ tokenizerJson: text }),
      makeOracle(text),
      generated(7, isFull ? 40_000 : 1_000),
    );
    assert.is(differences.length, 0, differences.join('\n'));
  });

  t(`tokenizes in slices as at once: ${name}`, () => {
    const tokenizer = createTokenizer({ tokenizerJson: json(changes) });
    const text = generated(8, 800).join('');
    const whole = tokenizer.encode(text, { offsets: true });
    for (const units of [1, 1000]) {
      const task = tokenizer.startEncoding(text, { offsets: true });
      while (!task.run(units));
      const sliced = task.finish();
      assert.equal(sliced.ids, whole.ids);
      assert.equal(sliced.offsets, whole.offsets);
    }
  });
}

for (const name of ['Whitespace', 'BertPreTokenizer, each digit', 'NFD, Lowercase, StripAccents']) {
  t(`tokenizes every scalar value as the reference: ${name}`, async () => {
    const texts: string[] = [];
    for (let start = 0; start < 0x110000; start += 64) {
      if (start >= 0xd800 && start < 0xe000) continue;
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
  refuses({ type: 'Metaspace' }, /Whitespace, WhitespaceSplit.*Digits.*pre_tokenizer.*"Metaspace"/);
  refuses(digits(true), /WhitespaceSplit.*"Digits"/);
  refuses(sequence(), /WhitespaceSplit.*"Sequence"/);
  refuses(sequence(whitespace, { type: 'ByteLevel' }), /"ByteLevel"/);
  refuses(sequence(whitespaceSplit, punctuation('MergedWithNext')), /Isolated, Contiguous or Removed.*"MergedWithNext"/);
});

t.run();
