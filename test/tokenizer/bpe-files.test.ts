// Files of BPE tokenizers: vocab.json with merges.txt, and what is malformed, contradictory or not supported.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as assert from 'uvu/assert';
import { createTokenizer } from '../../src/architectures/create-tokenizer.js';
import { BerthaError } from '../../src/errors.js';
import { loadTokenizer } from '../../src/index.js';
import type { TokenizerFiles } from '../../src/tokenizer/index.js';
import type { BpeJson } from '../support/bpe-variants.js';
import { temporaryFolder } from '../support/checkpoint-files.js';
import { suite } from '../support/suite.js';
import { addedToken } from '../support/tokenizer-variants.js';

const t = suite('bpe-files');
const base = JSON.parse(readFileSync(new URL('../golden/tokenizers/byte-bpe/tokenizer.json', import.meta.url), 'utf8')) as BpeJson;
const { vocab, merges } = base.model;
const vocabJson = JSON.stringify(vocab);
const mergesText = `#version: 0.2\n${merges.join('\n')}\n`;
const roberta = JSON.stringify({ tokenizer_class: 'RobertaTokenizer', model_max_length: 512 });
const text = "I'd say:  “Über 1234 людей”,\n\n  don't you? <mask> 👩‍👩‍👧 </s>";

const json = (changes: object, model: object = {}): string => JSON.stringify({ ...base, model: { ...base.model, ...model }, ...changes });
const refuses = (files: TokenizerFiles, code: string, pattern: RegExp): void =>
  assert.throws(
    () => createTokenizer(files),
    (error: unknown) => {
      if (error instanceof BerthaError && error.code === code && pattern.test(error.message)) return true;
      throw error;
    },
  );
const refusesJson = (changes: object, model: object, pattern: RegExp): void =>
  refuses({ tokenizerJson: json(changes, model) }, 'TOKENIZER', pattern);

t('reads vocab.json and merges.txt as the tokenizer.json that transformers makes of them', () => {
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true };
  const post = { type: 'RobertaProcessing', sep: ['</s>', 2], cls: ['<s>', 0], trim_offsets: true, add_prefix_space: false };
  const expected = createTokenizer({ tokenizerJson: json({ pre_tokenizer: byteLevel, post_processor: post }) });
  for (const merged of [mergesText, mergesText.replaceAll('\n', '\r\n'), mergesText.replace('#version: 0.2\n', '').trimEnd()]) {
    const tokenizer = createTokenizer({ vocabJson, merges: merged, tokenizerConfig: roberta });
    const [ours, theirs] = [tokenizer, expected].map((each) => each.encode(text, { pair: ' b', offsets: true }));
    assert.equal(ours, theirs);
    assert.equal(ours!.tokens.slice(0, 3), ['<s>', 'I', "'d"]);
    assert.is(tokenizer.decode(ours!.ids, { skipSpecialTokens: true }), expected.decode(theirs!.ids, { skipSpecialTokens: true }));
    assert.is(tokenizer.maxLength, 512);
    assert.equal([tokenizer.padId, tokenizer.unkId, tokenizer.clsId, tokenizer.sepId, tokenizer.maskId], [1, 3, 0, 2, vocab['<mask>']]);
  }
});

t('gives a vocab.json with [CLS] the layout of DeBERTa, and follows add_prefix_space', () => {
  const renamed = Object.fromEntries(
    Object.entries(vocab).map(([token, id]) => [({ '<s>': '[CLS]', '</s>': '[SEP]' } as Record<string, string>)[token] ?? token, id]),
  );
  const files = { vocabJson: JSON.stringify(renamed), merges: mergesText };
  const deberta = createTokenizer({ ...files, tokenizerConfig: JSON.stringify({ tokenizer_class: 'DebertaTokenizerFast' }) });
  const { tokens, typeIds } = deberta.encode('a', { pair: 'b' });
  assert.equal(
    [tokens, [...typeIds]],
    [
      ['[CLS]', 'a', '[SEP]', 'b', '[SEP]'],
      [0, 0, 0, 1, 1],
    ],
  );
  const prefixed = createTokenizer({ vocabJson, merges: mergesText, tokenizerConfig: JSON.stringify({ add_prefix_space: true }) });
  assert.equal(prefixed.encode('the').tokens, ['<s>', 'Ġthe', '</s>']);
});

t('loads a folder of vocab.json and merges.txt, and says how to convert SentencePiece', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'sentencepiece.bpe.model'), '');
  await rejects(loadTokenizer(folder), /tokenizer\.json beside sentencepiece\.bpe\.model.*save_pretrained/s);
  writeFileSync(join(folder, 'vocab.json'), vocabJson);
  await rejects(loadTokenizer(folder), /vocab\.json alone/);
  writeFileSync(join(folder, 'merges.txt'), mergesText);
  assert.is((await loadTokenizer(folder)).encode(text).tokens.at(-1), '</s>');
});

async function rejects(promise: Promise<unknown>, pattern: RegExp): Promise<void> {
  const error = await promise.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof BerthaError && error.code === 'TOKENIZER', String(error));
  assert.match(error.message, pattern);
}

t('refuses vocab.json and merges.txt that are malformed or of another kind', () => {
  const config = (name: string) => JSON.stringify({ tokenizer_class: name });
  refuses({ vocabJson, merges: mergesText, tokenizerConfig: config('CLIPTokenizer') }, 'TOKENIZER', /RobertaTokenizer.*CLIPTokenizer/);
  refuses({ vocabJson, merges: mergesText, tokenizerConfig: config('GPT2TokenizerFast') }, 'TOKENIZER', /GPT2Tokenizer/);
  refuses({ vocabJson: '{}', merges: mergesText }, 'VOCAB', /vocab\.json/);
  refuses({ vocabJson: '[]', merges: mergesText }, 'TOKENIZER', /vocab\.json/);
  refuses({ vocabJson: '{"<s>":0,', merges: mergesText }, 'TOKENIZER', /JSON for vocab\.json/);
  refuses({ vocabJson: '{"a":0,"b":0}', merges: '' }, 'TOKENIZER', /no other token/);
  refuses({ vocabJson: JSON.stringify({ ...vocab, '<s>': undefined }), merges: mergesText }, 'VOCAB', /cls token/);
  refuses({ vocabJson, merges: '#version: 0.2\nt h e\n' }, 'TOKENIZER', /two tokens for merges\.txt\[0\]/);
  refuses({ vocabJson, merges: `${mergesText}\n\nĠ t\n` }, 'TOKENIZER', /two tokens/);
  refuses({ vocabJson, merges: `${mergesText}zq zq\n` }, 'TOKENIZER', /tokens of the vocabulary for merges\.txt.*zq/);
  refuses({ merges: mergesText }, 'TOKENIZER', /merges\.txt alone/);
});

t('refuses merges that name unknown tokens or are none', () => {
  refusesJson({}, { merges: undefined }, /merges/);
  refusesJson({}, { merges: {} }, /list of merges/);
  refusesJson({}, { merges: ['ab'] }, /two tokens.*merges\[0\]/);
  refusesJson({}, { merges: [['a', 'b', 'c']] }, /two tokens/);
  refusesJson({}, { merges: [['a', 7]] }, /two tokens/);
  refusesJson({}, { merges: ['a \u2603'] }, /tokens of the vocabulary.*\u2603/);
  refusesJson({}, { merges: ['zz zz'] }, /merges\[0\].*zz/);
  refusesJson({}, { merges: ['a q'] }, /merges\[0\].*"aq"/);
});

t('refuses what a BPE model may ask for and is not supported, naming it', () => {
  refusesJson({}, { dropout: 0.1 }, /dropout.*0\.1/);
  refusesJson({}, { byte_fallback: true, end_of_word_suffix: '</w>' }, /byte_fallback/);
  refusesJson({}, { unk_token: 'absent' }, /unk_token.*absent/);
  refusesJson({}, { fuse_unk: 'yes' }, /fuse_unk/);
  const split = (Regex: string) => ({ type: 'Split', pattern: { Regex }, behavior: 'Isolated', invert: false });
  const byteLevel = { type: 'ByteLevel', add_prefix_space: false, use_regex: true };
  const sequence = (...pretokenizers: object[]) => ({ pre_tokenizer: { type: 'Sequence', pretokenizers } });
  refusesJson(sequence(split('\\p{Lu}?\\p{Ll}+'), byteLevel), {}, /pretokenizers\[0\].*Lu/);
  refusesJson(sequence(byteLevel, { type: 'Digits' }), {}, /GPT-2.*ByteLevel or Metaspace as the last.*pretokenizers\[0\]/);
  const cl100k = [...publishedCl100k()];
  refusesJson(sequence(split(cl100k[0]!), byteLevel), {}, /use_regex/);
  refusesJson(sequence(split(cl100k[0]!), { ...byteLevel, use_regex: false, add_prefix_space: true }), {}, /add_prefix_space/);
  const template = { type: 'TemplateProcessing', single: [{ Sequence: { id: 'A', type_id: 0 } }], pair: [], special_tokens: {} };
  refusesJson({ post_processor: { type: 'Sequence', processors: [template, { type: 'ByteLevel' }] } }, {}, /ByteLevel before/);
  const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', add_prefix_space: false };
  refusesJson({ decoder: metaspace }, {}, /add_prefix_space/);
});

function* publishedCl100k(): Generator<string> {
  const contractions = "(?i:'s|'t|'re|'ve|'m|'ll|'d)";
  yield `${contractions}|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
}

t('takes files that leave fields out, merges as pairs, and vocabularies with holes', () => {
  const { type: _, ...untyped } = { type: 'BPE', ...base.model } as Record<string, unknown>;
  const bare = { vocab, merges: merges.map((merge) => merge.split(' ')) };
  const expected = createTokenizer({ tokenizerJson: JSON.stringify(base) }).encode(text, { offsets: true });
  for (const model of [untyped, bare, { ...untyped, dropout: null, unk_token: null, ignore_merges: null }]) {
    const pre_tokenizer = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: false };
    const tokenizer = createTokenizer({ tokenizerJson: JSON.stringify({ ...base, model, pre_tokenizer }) });
    assert.equal(tokenizer.encode(text, { offsets: true }), expected);
  }
  const spread = Object.fromEntries(Object.entries(vocab).map(([token, id]) => [token, 2 * id]));
  const holes = createTokenizer({ tokenizerJson: json({ added_tokens: [], post_processor: null }, { vocab: spread }) });
  const dense = createTokenizer({ tokenizerJson: json({ added_tokens: [], post_processor: null }) });
  assert.equal(
    [...holes.encode(text).ids],
    Array.from(dense.encode(text).ids, (id) => 2 * id),
  );
  assert.is(holes.decode([...holes.encode('the rights').ids, 1, 99_999_999]), ' the rights');
  assert.is(holes.idToToken(1), undefined);
});

t('keeps added tokens of a byte-level model as they are spelled', () => {
  const added = [...base.added_tokens, addedToken('Ünïcode ', Object.keys(vocab).length)];
  const tokenizer = createTokenizer({ tokenizerJson: json({ added_tokens: added }) });
  const { ids } = tokenizer.encode('a Ünïcode b');
  assert.ok(ids.includes(Object.keys(vocab).length));
  assert.is(tokenizer.decode(ids, { skipSpecialTokens: true }), ' a Ünïcode  b');
});

t.run();
