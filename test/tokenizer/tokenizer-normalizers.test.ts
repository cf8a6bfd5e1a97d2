// Normalizers alone and in sequences, each against the reference, npm `tokenizers` (Rust), character by character.
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import { marks } from '../../src/tokenizer/unicode/characters.js';
import { combiningRank } from '../../src/tokenizer/unicode/normal-forms.js';
import { suite } from '../support/suite.js';
import { addedNormalized, bert, json, normalizers, testKinds, whitespace } from '../support/tokenizer-builder.js';
import { compareWithOracle, makeOracle } from '../support/tokenizer-oracle.js';
import { formKinds, Random, scalarBlocks } from '../support/tokenizer-strings.js';
import { bertNormalizer } from '../support/tokenizer-variants.js';

const t = suite('tokenizer-normalizers');

/** Every character that the generated strings may have is a token, so that offsets tell about each of them. */
const known = new Set<string>(['[PAD]', '[UNK]', '[CLS]', '[SEP]', 'hello', 'Éa=', '[MASK]']);
for (const c of formKinds.flat()) {
  if (c >= 0xd800 && c < 0xe000) continue;
  for (const form of ['NFC', 'NFD', 'NFKC', 'NFKD'])
    for (const part of String.fromCodePoint(c).normalize(form))
      for (const each of [part, part.toLowerCase()]) known.add(each).add(`##${each}`);
}
const vocab = Object.fromEntries([...known].map((token, id) => [token, id]));
const model = { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab };

const sequence = (...steps: object[]) => ({ type: 'Sequence', normalizers: steps });
const [nfc, nfd, nfkc, nfkd, lowercase, stripAccents] = ['NFC', 'NFD', 'NFKC', 'NFKD', 'Lowercase', 'StripAccents'].map((type) => ({
  type,
})) as [...object[]] as [object, object, object, object, object, object];
const strip = (strip_left: boolean, strip_right: boolean) => ({ type: 'Strip', strip_left, strip_right });
const replace = (pattern: object, content: string) => ({ type: 'Replace', pattern, content });
const prepend = (text: string) => ({ type: 'Prepend', prepend: text });
const tokens = addedNormalized.map((token, i) => ({ ...token, id: Object.hasOwn(vocab, 'Éa=') && i === 0 ? vocab['Éa='] : known.size }));

const steps: Record<string, object> = {
  NFC: nfc,
  NFD: nfd,
  NFKC: nfkc,
  NFKD: nfkd,
  StripAccents: stripAccents,
  'NFKC, BertNormalizer': sequence(nfkc, bertNormalizer()),
  'NFC, BertNormalizer, accents kept': sequence(nfc, bertNormalizer({ strip_accents: false })),
  'BertNormalizer, NFC': sequence(bertNormalizer({ strip_accents: false, lowercase: false }), nfc),
  'NFKC, Lowercase': sequence(nfkc, lowercase),
  'Lowercase, NFC': sequence(lowercase, nfc),
  'NFKD, StripAccents, Lowercase': sequence(nfkd, stripAccents, lowercase),
  'NFD, StripAccents, NFC': sequence(nfd, stripAccents, nfc),
  'NFKC twice, in a Sequence of its own': sequence(nfkc, sequence(nfkd, nfkc)),
  'Strip, NFC': sequence(strip(true, true), nfc),
  'Strip left, Replace of spaces': sequence(strip(true, false), replace({ String: ' ' }, '_')),
  'Strip right, Replace of spaces': sequence(nfkc, strip(false, true), replace({ Regex: '\\s+' }, '=a=')),
  'Replace of a text': sequence(replace({ String: '==' }, 'é'), nfd, replace({ Regex: '\\.\\.' }, '')),
  'Replace of classes': sequence(
    replace({ Regex: '[0-9a-c\\s]' }, 'z'),
    nfkc,
    replace({ Regex: '\\d' }, '0'),
    replace({ Regex: '[^\\w=]+' }, ' '),
  ),
  'Replace of words and what is none': sequence(
    replace({ Regex: '\\W' }, ' -'),
    replace({ Regex: '[\\w\\-]' }, 'w'),
    replace({ Regex: ' +' }, '  '),
  ),
  'Prepend, NFKC': sequence(prepend('e\u0301 _'), nfkc),
};

const kinds: Record<string, object> = {};
for (const [name, normalizer] of Object.entries(steps)) kinds[name] = { normalizer, model };
kinds['NFKC, Lowercase, added tokens in normalized text'] = { normalizer: steps['NFKC, Lowercase'], model, added_tokens: tokens };
kinds['NFC, Whitespace'] = { normalizer: nfc, model, pre_tokenizer: whitespace };
kinds['NFKC, nothing split'] = { normalizer: nfkc, model, pre_tokenizer: null };
kinds['BertNormalizer, nothing split'] = { model, pre_tokenizer: null };
kinds['Strip and Prepend, nothing split, added tokens'] = {
  normalizer: sequence(strip(true, true), prepend('_')),
  model,
  pre_tokenizer: null,
  added_tokens: tokens,
};
testKinds(t, kinds, 120);

for (const name of ['NFKC', 'NFKC, BertNormalizer']) {
  t(`tokenizes scalar values as the reference: ${name}`, async () => {
    const texts: string[] = [];
    for (const start of scalarBlocks()) {
      texts.push(Array.from({ length: 64 }, (_, i) => `e${String.fromCodePoint(start + i)}\u0301`).join(' '));
    }
    const text = json({ ...kinds[name], pre_tokenizer: bert });
    const differences = await compareWithOracle(createTokenizer({ tokenizerJson: text }), makeOracle(text), texts);
    assert.is(differences.length, 0, differences.join('\n'));
  });
}

const markList: string[] = [];
marks.forEachRange((start, end) => {
  for (let c = start; c < end; c++) if (combiningRank(c) > 0) markList.push(String.fromCodePoint(c));
});

for (const [name, normalizer] of Object.entries({
  ...steps,
  BertNormalizer: bertNormalizer(),
  'accents dropped': normalizers('NFD', 'StripAccents'),
})) {
  t(`puts marks in order in runs of any length, in short turns: ${name}`, async () => {
    const random = new Random(3);
    const run = (length: number) => Array.from({ length }, () => random.pick(markList)).join('');
    // Of the marks that stay some lie 10,000 places from where canonical order wants them.
    const text = `a ${run(5_000)} e${run(12_000)}b 한${'\u0315'.repeat(9_000)}\u0334\u08e0 z${'\u0301'.repeat(9_000)}\u{1d165}\u{1d16d}\u1939 x`;
    // Each character is a word of its own, so that ids and offsets tell about every single one.
    const file = json({
      normalizer,
      model,
      pre_tokenizer: { type: 'Split', pattern: { Regex: '\\S' }, behavior: 'Isolated', invert: false },
    });
    const tokenizer = createTokenizer({ tokenizerJson: file });
    const differences = await compareWithOracle(tokenizer, makeOracle(file), [text, `${text} ${text}`, 'e\u0316\u0301']);
    assert.is(differences.length, 0, differences.join('\n').slice(0, 2000));
  });
}

for (const [name, normalizer] of Object.entries({
  NFKC: nfkc,
  'NFKC, Lowercase': steps['NFKC, Lowercase'],
  BertNormalizer: bertNormalizer(),
})) {
  for (const lowercase of [false, true]) {
    t(`reads a prompt and a text as one, however they are cut: ${name}${lowercase ? ', in lower case' : ''}`, () => {
      const random = new Random(5);
      const run = (length: number) => Array.from({ length }, () => random.pick(markList)).join('');
      const text = `${'Héllo \ufdfa 한글 '.repeat(600)}e${run(20_000)}b x${'\u0301\u08e0\u0316'.repeat(900)} ${'a.B '.repeat(3_000)}`;
      const prompt = 'query: Ａ\u0301 ';
      const tokenizer = createTokenizer({ tokenizerJson: json({ normalizer, model }) });
      const whole = `${prompt}${text}`;
      const expected = tokenizer.encodeIds(lowercase ? whole.toLowerCase() : whole).ids;
      for (const units of [700, 4096]) {
        const task = tokenizer.takeTask(tokenizer.settingsFor(100_000), { prompt, lowercase, promptTokens: 0 });
        task.begin([text]);
        while (!task.run(units));
        assert.equal(task.finishIds().ids, expected);
      }
    });
  }
}

t('refuses normalizers that it cannot follow, naming them and what it can', () => {
  const refuses = (normalizer: object, message: RegExp) =>
    assert.throws(
      () => createTokenizer({ tokenizerJson: json({ normalizer }) }),
      (error: { code?: string; message: string }) => error.code === 'TOKENIZER' && message.test(error.message),
    );
  refuses({ type: 'Precompiled', precompiled_charsmap: '' }, /normalizer: precompiled_charsmap/);
  refuses({ type: 'Upper' }, /BertNormalizer.*NFKC.*Replace.*normalizer.*"Upper"/);
  refuses(sequence(nfkc, { type: 'ByteLevel' }), /NFKC.*"ByteLevel"/);
  for (const pattern of [
    'a|b',
    '(a)',
    'a*',
    'a?',
    '^a',
    'a{2}',
    '.',
    '\\p{L}',
    '\\b',
    '[[:alpha:]]',
    '[a&&b]',
    '[]',
    '[b-a]',
    'a+b',
    '\\dx',
    'a\\',
    '',
  ])
    refuses(replace({ Regex: pattern }, 'x'), /Regex.*pattern/);
  refuses(replace({ String: '' }, 'x'), /text.*pattern/);
  refuses(prepend(''), /not empty.*prepend/);
});

t.run();
