import { charactersOfBytes } from '../../src/tokenizer/vocabulary/byte-level.js';
import { type Target, useTokenizer } from './target.js';

const bytes = Array.from(charactersOfBytes, (character) => String.fromCharCode(character));
const special = ['<s>', '<pad>', '</s>', '<unk>', '<mask>'];
const merges = ['h e', 'l l', 'he ll', 'hell o', 'Ġ hello', 'a b', 'ab ab', "' s", 'Ġ Ġ'];
const tokens = [...special, ...bytes, ...merges.map((merge) => merge.replace(' ', ''))];
const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]));
/** A few tokens, so that a mutation of the file meets its structure rather than a byte. */
const small = Object.fromEntries(
  [...special, ...'helo ab\u2581Ġ', ...merges.map((merge) => merge.replace(' ', ''))].map((token, id) => [token, id]),
);

const byteLevel = { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true };
const model = {
  type: 'BPE',
  dropout: null,
  unk_token: '<unk>',
  continuing_subword_prefix: null,
  end_of_word_suffix: null,
  fuse_unk: true,
  byte_fallback: false,
  ignore_merges: false,
  vocab: small,
  merges: ['h e', 'l l', ['a', 'b'], ['ab', 'ab']],
};
const file = {
  version: '1.0',
  truncation: null,
  padding: null,
  added_tokens: special.map((content, id) => ({
    id,
    content,
    single_word: false,
    lstrip: content === '<mask>',
    rstrip: content === '<unk>',
    normalized: id < 3,
    special: true,
  })),
  normalizer: { type: 'NFC' },
  pre_tokenizer: byteLevel,
  post_processor: { type: 'RobertaProcessing', sep: ['</s>', 2], cls: ['<s>', 0], trim_offsets: true, add_prefix_space: true },
  decoder: byteLevel,
  model,
};
const split =
  "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
/** The same with what Llama 3's and SentencePiece's files hold. */
const other = {
  ...file,
  normalizer: { type: 'Prepend', prepend: '\u2581' },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Digits', individual_digits: true },
      { type: 'Split', pattern: { Regex: split }, behavior: 'Isolated', invert: false },
      { ...byteLevel, add_prefix_space: false, use_regex: false },
    ],
  },
  post_processor: { type: 'Sequence', processors: [byteLevel, { type: 'BertProcessing', sep: ['</s>', 2], cls: ['<s>', 0] }] },
  decoder: {
    type: 'Sequence',
    decoders: [
      { type: 'Replace', pattern: { String: '\u2581' }, content: ' ' },
      { type: 'ByteFallback' },
      { type: 'Fuse' },
      { type: 'Strip', content: ' ', start: 1, stop: 0 },
      { type: 'BPEDecoder', suffix: '</w>' },
      { type: 'Metaspace', replacement: '\u2581', prepend_scheme: 'always' },
    ],
  },
  model: { ...model, ignore_merges: true, byte_fallback: true },
};

const text = "Hello, <mask> abab 京!  it's\n\n hell\ud800 e\u0301 1234</s>";
const vocabJson = JSON.stringify(vocab);

const bpeJson: Target = {
  name: 'tokenizer.json of BPE',
  share: 10,
  seeds: [file, other].map((json) => Buffer.from(JSON.stringify(json))),
  read: (bytes) => useTokenizer({ tokenizerJson: bytes.toString('utf8') }, text),
};

const vocabFile: Target = {
  name: 'vocab.json',
  share: 2,
  seeds: [Buffer.from(vocabJson), Buffer.from(JSON.stringify(small))],
  read: (bytes) => useTokenizer({ vocabJson: bytes.toString('utf8'), merges: '#version: 0.2\nh e\nl l\n' }, text),
};

const mergesFile: Target = {
  name: 'merges.txt',
  share: 3,
  seeds: [Buffer.from(`#version: 0.2\n${merges.join('\n')}\n`), Buffer.from(merges.join('\r\n'))],
  read: (bytes) => useTokenizer({ vocabJson, merges: bytes.toString('utf8') }, text),
};

/** Readers of BPE tokenizers' files. */
export const bpeTargets: readonly Target[] = [bpeJson, vocabFile, mergesFile];
