// Tokenizer files: good ones, and rows F29, F30 and F11 to F19 in spirit: malformed, contradictory, hostile.
import { readFileSync, writeFileSync } from 'node:fs';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { BerthaError } from '../../src/errors.js';
import { loadTokenizer } from '../../src/index.js';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import type { TokenizerFiles } from '../../src/tokenizer/index.js';
import { golden, temporaryFolder } from '../support/checkpoint-files.js';
import { addedToken, bertNormalizer } from '../support/tokenizer-variants.js';

const t = suite('tokenizer-files');

const read = (path: string) => readFileSync(new URL(path, import.meta.url), 'utf8');
const fails = (code: string, pattern: RegExp) => (error: unknown) => {
  if (error instanceof BerthaError && error.code === code && pattern.test(error.message)) return true;
  throw error;
};

const tokens = ['[PAD]', '[UNK]', '[CLS]', '[SEP]', '[MASK]', 'hello', 'Hello', 'wor', '##ld', 'e', 'é', '日', '日本', '!', 'straße'];
const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
const vocabText = `${tokens.join('\n')}\n`;
const special = tokens.slice(0, 5).map((content, id) => addedToken(content, id, { special: true }));

/** A small valid tokenizer.json with some parts changed. */
function json(changes: object = {}, model: object = {}): string {
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special,
    normalizer: bertNormalizer(),
    pre_tokenizer: { type: 'BertPreTokenizer' },
    post_processor: { type: 'BertProcessing', sep: ['[SEP]', 3], cls: ['[CLS]', 2] },
    decoder: { type: 'WordPiece', prefix: '##', cleanup: true },
    model: { type: 'WordPiece', unk_token: '[UNK]', continuing_subword_prefix: '##', max_input_chars_per_word: 100, vocab, ...model },
    ...changes,
  });
}

const ids = (files: TokenizerFiles, text: string): number[] =>
  Array.from(createTokenizer(files).encode(text, { addSpecialTokens: false }).ids);
const config = (fields: object): string => JSON.stringify(fields);
const refuses = (files: TokenizerFiles, code: string, pattern: RegExp) => assert.throws(() => createTokenizer(files), fails(code, pattern));

t('reads tokenizer.json and vocab.txt to the same effect', () => {
  for (const files of [{ tokenizerJson: json() }, { vocab: vocabText }, { tokenizerJson: json(), vocab: vocabText }]) {
    const tokenizer = createTokenizer(files);
    assert.equal(tokenizer.encode('Hello world! É').tokens, ['[CLS]', 'hello', 'wor', '##ld', '!', 'e', '[SEP]']);
    const { vocabSize, padId, unkId, clsId, sepId, maskId, maxLength } = tokenizer;
    assert.equal(
      { vocabSize, padId, unkId, clsId, sepId, maskId, maxLength },
      { vocabSize: 15, padId: 0, unkId: 1, clsId: 2, sepId: 3, maskId: 4, maxLength: undefined },
    );
    assert.is(tokenizer.tokenToId('##ld'), 8);
    assert.is(tokenizer.idToToken(8), '##ld');
    assert.is(tokenizer.tokenToId('absent'), undefined);
    assert.is(tokenizer.idToToken(15), undefined);
  }
});

t('reads a vocabulary however tokenizer.json spells it', () => {
  const strange = [...tokens, '"', '\\', '"vocab"', '𐌰', '😀', '##\\"', 'wor\u2028ld'];
  const entries = (ids: readonly number[]) => Object.fromEntries(ids.map((id) => [strange[id]!, id]));
  const inOrder = strange.map((_, id) => id);
  const plain = json({}, { vocab: entries(inOrder) });
  const escaped = plain.replace(/[^ -~]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
  const spellings = [
    plain,
    escaped,
    JSON.stringify(JSON.parse(plain), undefined, '\t').replaceAll('\n', '\r\n'),
    json({}, { vocab: entries(inOrder.toReversed()) }),
    plain.replace('"version"', '"note":{"vocab":{"hello":0}},"version"'),
    plain.replace('"vocab":{', '"vocab":{"hello":0},"vocab":{'),
    plain.replace('"hello":5', '"hello":0,"hello":5'),
  ];
  for (const tokenizerJson of spellings) {
    const tokenizer = createTokenizer({ tokenizerJson });
    assert.is(tokenizer.vocabSize, strange.length);
    assert.equal(
      Array.from(inOrder, (id) => tokenizer.idToToken(id)),
      strange,
    );
    assert.equal(
      Array.from(strange, (token) => tokenizer.tokenToId(token)),
      inOrder,
    );
    assert.equal(Array.from(tokenizer.encode('hello world "', { addSpecialTokens: false }).ids), [5, 7, 8, 15]);
  }
});

t('lowercases, strips accents and sets ideographs apart as tokenizer_config.json says', () => {
  const vocabAlone = (fields: object) => ({ vocab: vocabText, tokenizerConfig: config(fields) });
  assert.equal(ids(vocabAlone({}), 'Hello é'), [5, 9]);
  assert.equal(ids(vocabAlone({ do_lower_case: false }), 'Hello é'), [6, 10]);
  assert.equal(ids(vocabAlone({ strip_accents: false }), 'Hello É'), [5, 10]);
  assert.equal(ids(vocabAlone({ do_lower_case: false, strip_accents: true }), 'Hello é'), [6, 9]);
  assert.equal(ids(vocabAlone({ do_lower_case: false, strip_accents: null }), 'é'), [10]);
  assert.equal(ids(vocabAlone({}), '日本'), [11, 1]);
  assert.equal(ids(vocabAlone({ tokenize_chinese_chars: false }), '日本'), [12]);
});

t('lets tokenizer_config.json overrule the normalizer of tokenizer.json, as transformers does', () => {
  const both = (fields: object) => ({ tokenizerJson: json(), tokenizerConfig: config(fields) });
  assert.equal(ids(both({ do_lower_case: false }), 'Hello é'), [6, 10]);
  assert.equal(ids(both({ do_lower_case: true, strip_accents: false }), 'Hello é'), [5, 10]);
  assert.equal(ids(both({ tokenize_chinese_chars: false }), '日本'), [12]);
  assert.equal(ids(both({ do_lower_case: false, tokenizer_class: 'PreTrainedTokenizerFast' }), 'Hello'), [5]);
});

t('takes the length limit and the special tokens from the configuration files', () => {
  const renamed = ['<pad>', '<unk>', '<cls>', '<sep>', 'hello'].join('\n');
  const specialTokensMap = config({
    pad_token: '<pad>',
    unk_token: { content: '<unk>', lstrip: false },
    cls_token: '<cls>',
    sep_token: '[SEP]',
  });
  const tokenizerConfig = config({ sep_token: '<sep>', model_max_length: 128, mask_token: null });
  const tokenizer = createTokenizer({ vocab: renamed, specialTokensMap, tokenizerConfig });
  assert.equal(tokenizer.encode('hello <sep> x').tokens, ['<cls>', 'hello', '<sep>', '<unk>', '<sep>']);
  assert.is(tokenizer.maxLength, 128);
  assert.is(tokenizer.padId, 0);
  assert.is(tokenizer.maskId, undefined);
  assert.is(createTokenizer({ tokenizerJson: json(), tokenizerConfig: config({ model_max_length: 1e30 }) }).maxLength, undefined);
  assert.is(createTokenizer({ tokenizerJson: json(), tokenizerConfig }, { maxLength: 64 }).maxLength, 64);
});

t('surrounds pairs by </s></s> for MPNet, whose mask takes the space before it', () => {
  const mpnet = ['<s>', '<pad>', '</s>', '[UNK]', 'a', 'b', '<mask>'].join('\n');
  for (const tokenizerConfig of [config({}), config({ tokenizer_class: 'MPNetTokenizer' })]) {
    const tokenizer = createTokenizer({ vocab: mpnet, tokenizerConfig });
    const encoding = tokenizer.encode('a <mask>', { pair: 'b', offsets: true });
    assert.equal(encoding.tokens, ['<s>', 'a', '<mask>', '</s>', '</s>', 'b', '</s>']);
    assert.equal(Array.from(encoding.typeIds), [0, 0, 0, 0, 0, 0, 0]);
    assert.equal(Array.from(encoding.offsets ?? []).slice(4, 6), [1, 8]);
  }
});

t('reads the added tokens of tokenizer_config.json beside vocab.txt', () => {
  const added = (id: number, content: string, flags: object = {}) => ({
    [id]: { content, lstrip: false, normalized: false, rstrip: false, special: false, ...flags },
  });
  const decoder = { ...added(4, '[MASK]', { special: true, lstrip: true }), ...added(15, 'qfoo'), ...added(16, '<e>', { special: true }) };
  const tokenizer = createTokenizer({ vocab: vocabText, tokenizerConfig: config({ added_tokens_decoder: decoder }) });
  const encoding = tokenizer.encode('hello [MASK] aqfoo<e>', { offsets: true, addSpecialTokens: false });
  assert.equal(Array.from(encoding.ids), [5, 4, 1, 15, 16]);
  assert.equal(Array.from(encoding.offsets ?? []).slice(2, 4), [5, 12]);
  assert.is(tokenizer.vocabSize, 17);
  refuses({ vocab: vocabText, tokenizerConfig: config({ added_tokens_decoder: added(99, 'qfoo') }) }, 'TOKENIZER', /15.*"qfoo".*99/);
  refuses({ vocab: vocabText, tokenizerConfig: config({ added_tokens_decoder: { x: {} } }) }, 'TOKENIZER', /an id.*x/);
});

t('repairs vocab.txt: CRLF, byte order mark, missing last line break, equal tokens', () => {
  const expected = createTokenizer({ vocab: vocabText }).encode('hello world').ids;
  const repaired = [vocabText.replaceAll('\n', '\r\n'), `\ufeff${vocabText}`, vocabText.trimEnd()];
  for (const text of repaired) assert.equal(createTokenizer({ vocab: text }).encode('hello world').ids, expected);
  const repeated = createTokenizer({ vocab: `${vocabText}hello\n` });
  assert.equal(Array.from(repeated.encode('hello', { addSpecialTokens: false }).ids), [15]);
  assert.is(repeated.idToToken(5), undefined);
  assert.is(repeated.decode([5, 15]), 'hello');
});

t('refuses a vocab.txt that is empty, lacks needed tokens, is too long or exceeds the model', () => {
  refuses({ vocab: '' }, 'VOCAB', /empty/);
  refuses({ vocab: '\ufeff' }, 'VOCAB', /empty/);
  refuses({ vocab: vocabText.replace('[UNK]', 'x') }, 'VOCAB', /unk token such as \[UNK\]/);
  refuses({ vocab: vocabText.replace('[CLS]', 'x') }, 'VOCAB', /cls token/);
  refuses({ vocab: vocabText.replace('[SEP]', 'x') }, 'VOCAB', /sep token/);
  refuses({ vocab: '\n'.repeat(10_000_000) }, 'VOCAB', /at most \d+ lines/);
  refuses({ vocab: `${vocabText}\ud800\n` }, 'VOCAB', /well-formed/);
  assert.throws(() => createTokenizer({ vocab: vocabText }, { vocabSize: 14 }), fails('VOCAB', /below 14.*14/));
  assert.is(createTokenizer({ vocab: vocabText }, { vocabSize: 15 }).vocabSize, 15);
});

t('refuses tokenizers of other kinds, naming them', () => {
  refuses(
    { vocab: vocabText, tokenizerConfig: config({ tokenizer_class: 'BertJapaneseTokenizer' }) },
    'TOKENIZER',
    /BertJapaneseTokenizer/,
  );
  refuses({ tokenizerJson: json({}, { type: 'Morphemes' }) }, 'TOKENIZER', /WordPiece.*BPE.*model.*"Morphemes"/);
  refuses({ tokenizerJson: json({ model: { vocab } }) }, 'TOKENIZER', /WordPiece/);
  refuses({ tokenizerJson: json({ normalizer: { type: 'Upper' } }) }, 'TOKENIZER', /NFKC.*normalizer.*"Upper"/);
  refuses({ tokenizerJson: json({ pre_tokenizer: { type: 'Syllables' } }) }, 'TOKENIZER', /pre_tokenizer.*"Syllables"/);
  refuses({ tokenizerJson: json({ post_processor: { type: 'Frame' } }) }, 'TOKENIZER', /post_processor.*"Frame"/);
  refuses({}, 'TOKENIZER', /neither/);
  const unknownDecoder = createTokenizer({ tokenizerJson: json({ decoder: { type: 'CTC' } }) });
  assert.is(unknownDecoder.encode('hello').length, 3);
  assert.throws(() => unknownDecoder.decode([5]), fails('TOKENIZER', /ByteLevel.*CTC/));
});

t('refuses a tokenizer.json that is malformed, naming the place', () => {
  const whole = json();
  for (const length of [0, 1, 10, 100, 300, whole.length - 1])
    refuses({ tokenizerJson: whole.slice(0, length) }, 'TOKENIZER', /JSON for tokenizer\.json/);
  refuses({ tokenizerJson: '[]' }, 'TOKENIZER', /an object/);
  refuses({ tokenizerJson: json({ version: '2.0' }) }, 'TOKENIZER', /version/);
  refuses({ tokenizerJson: json({ model: null }) }, 'TOKENIZER', /model/);
  refuses({ tokenizerJson: json({}, { vocab: null }) }, 'TOKENIZER', /vocab/);
  refuses({ tokenizerJson: json({}, { vocab: [] }) }, 'TOKENIZER', /vocab/);
  refuses({ tokenizerJson: json({}, { unk_token: 'absent' }) }, 'TOKENIZER', /unk_token.*absent/);
  refuses({ tokenizerJson: json({}, { max_input_chars_per_word: -1 }) }, 'TOKENIZER', /max_input_chars_per_word/);
  for (const id of [-1, 1.5, '5', null, 2 ** 31, 2 ** 53])
    refuses({ tokenizerJson: json({}, { vocab: { ...vocab, x: id } }) }, 'TOKENIZER', /vocab: x/);
  refuses({ tokenizerJson: json({}, { vocab: { ...vocab, x: 5 } }) }, 'TOKENIZER', /no other token.*x/);
  refuses({ tokenizerJson: json({}, { vocab: { ...vocab, '\ud800': 15 } }) }, 'TOKENIZER', /well-formed/);
  refuses({ tokenizerJson: json({ added_tokens: {} }) }, 'TOKENIZER', /added_tokens/);
  refuses({ tokenizerJson: json({ added_tokens: [{ id: 5, content: 3 }] }) }, 'TOKENIZER', /content/);
  refuses({ tokenizerJson: json({ normalizer: bertNormalizer({ lowercase: 'yes' }) }) }, 'TOKENIZER', /lowercase.*"yes"/);
  refuses(
    { tokenizerJson: json({ post_processor: { type: 'BertProcessing', sep: ['[SEP]', -3], cls: ['[CLS]', 2] } }) },
    'TOKENIZER',
    /sep/,
  );
});

t('refuses templates that name absent tokens or sequences', () => {
  const template = (single: object[], pair: object[] = []) =>
    json({
      post_processor: {
        type: 'TemplateProcessing',
        single,
        pair,
        special_tokens: { '[CLS]': { id: '[CLS]', ids: [2], tokens: ['[CLS]'] } },
      },
    });
  const a = { Sequence: { id: 'A', type_id: 0 } };
  assert.equal(createTokenizer({ tokenizerJson: template([{ SpecialToken: { id: '[CLS]', type_id: 0 } }, a]) }).encode('hello').tokens, [
    '[CLS]',
    'hello',
  ]);
  refuses({ tokenizerJson: template([{ SpecialToken: { id: '[X]', type_id: 0 } }, a]) }, 'TOKENIZER', /special tokens.*\[X\]/);
  refuses({ tokenizerJson: template([{ Sequence: { id: 'B', type_id: 0 } }]) }, 'TOKENIZER', /"A"/);
  refuses({ tokenizerJson: template([{ Other: {} }]) }, 'TOKENIZER', /Sequence or SpecialToken/);
});

t('refuses added tokens whose ids are not those that the reference gives them', () => {
  refuses({ tokenizerJson: json({ added_tokens: [...special, addedToken('qfoo', 99)] }) }, 'TOKENIZER', /15, the id of "qfoo".*99/);
  refuses({ tokenizerJson: json({ added_tokens: [addedToken('hello', 6)] }) }, 'TOKENIZER', /5, the id of "hello"/);
  refuses({ tokenizerJson: json({ added_tokens: [addedToken('qfoo', 2 ** 31)] }) }, 'TOKENIZER', /added_tokens\[0\]: id/);
  refuses(
    { tokenizerJson: json({ added_tokens: [addedToken('qa', 15, { normalized: true }), addedToken('QA', 16, { normalized: true })] }) },
    'TOKENIZER',
    /"QA".*"qa"/,
  );
  refuses({ tokenizerJson: json({ added_tokens: [addedToken('\u200b', 15, { normalized: true })] }) }, 'TOKENIZER', /nothing/);
});

t('does not look at a vocab.txt beside tokenizer.json, whatever is in it', async () => {
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:43f9abd9\nsize 231508\n';
  const expected = createTokenizer({ tokenizerJson: json() }).encode('hello Hello straße').ids;
  for (const vocab of ['', pointer, '[PAD]\nold\n', vocabText.replace('hello\nHello', 'Hello\nhello'), `${vocabText}more\n`])
    assert.equal(createTokenizer({ tokenizerJson: json(), vocab }).encode('hello Hello straße').ids, expected);
  const folder = temporaryFolder(golden('sentence/pooling-mean'));
  const before = (await loadTokenizer(folder)).encode('a cat').ids;
  for (const vocab of ['', pointer, Buffer.of(0xff, 0xfe)]) {
    writeFileSync(`${folder}/vocab.txt`, vocab);
    assert.equal((await loadTokenizer(folder)).encode('a cat').ids, before);
  }
});

t('refuses configuration files of the wrong shape', () => {
  const files = { tokenizerJson: json() };
  refuses({ ...files, tokenizerConfig: '[' }, 'TOKENIZER', /JSON for tokenizer_config\.json/);
  refuses({ ...files, specialTokensMap: '3' }, 'TOKENIZER', /special_tokens_map\.json/);
  refuses({ ...files, tokenizerConfig: config({ do_lower_case: 'no' }) }, 'TOKENIZER', /do_lower_case/);
  refuses({ ...files, tokenizerConfig: config({ model_max_length: -5 }) }, 'TOKENIZER', /model_max_length/);
  refuses({ ...files, tokenizerConfig: config({ padding_side: 'top' }) }, 'TOKENIZER', /padding_side/);
  refuses({ ...files, tokenizerConfig: config({ cls_token: 5 }) }, 'TOKENIZER', /cls_token/);
});

t('is not confused by tokens named like properties of objects', () => {
  const names = ['__proto__', 'constructor', 'toString', 'hasOwnProperty'];
  const odd = json().replace('"hello":5', names.map((name, i) => `"${name}":${15 + i}`).join() + ',"hello":5');
  const tokenizer = createTokenizer({ tokenizerJson: odd });
  assert.is(tokenizer.tokenToId('__proto__'), 15);
  assert.equal(tokenizer.encode('constructor').tokens, ['[CLS]', 'constructor', '[SEP]']);
  assert.is(tokenizer.tokenToId('valueOf'), undefined);
  assert.is(({} as Record<string, unknown>)['hello'], undefined);
});

t('loads every tokenizer of the golden models and the bundled one', () => {
  const tokenizer = createTokenizer({
    tokenizerJson: read('../../weights/all-MiniLM-L6-v2/tokenizer.json'),
    vocab: read('../../weights/all-MiniLM-L6-v2/vocab.txt'),
    tokenizerConfig: read('../../weights/all-MiniLM-L6-v2/tokenizer_config.json'),
    specialTokensMap: read('../../weights/all-MiniLM-L6-v2/special_tokens_map.json'),
  });
  assert.is(tokenizer.vocabSize, 30522);
  assert.is(tokenizer.maxLength, 512);
});

t('names the right option', () => {
  assert.throws(() => createTokenizer({ vocab: vocabText }, { max_length: 5 } as object), fails('INVALID_OPTION', /"maxLength"/));
  assert.throws(() => createTokenizer({ vocab: vocabText }, { maxLength: 0 }), fails('MAX_LENGTH', /maxLength/));
});

t.run();
