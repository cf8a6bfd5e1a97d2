import { addedToken } from './tokenizer-variants.js';

/** The fields of a BPE tokenizer.json that tests change. */
export interface BpeJson {
  readonly added_tokens: readonly object[];
  readonly model: { readonly vocab: Readonly<Record<string, number>>; readonly merges: readonly string[] };
}

/** Texts that patterns of words, added tokens and merges of bytes go wrong on. */
export const bpePhrases = [
  ...["'s", "'S", "'ſ", "'re", "'rE", "'r", "'ll", "'l", "'ve", "'v", "'d", "'m", "'t", "''", " '", "'\n", "don't", "I'LL", '’s'],
  ...['  ', '   ', ' \n', '\n ', '\n\n', '\r\n', ' \t', '\t', '\u0085', '\u00a0', '\u3000', '    \n\n   ', '!\n', '.\r\n\r\n', ' .', '.. '],
  ...['1', '12', '123', '1234', '12345', ' 1', '½', '٣', '³', 'a1', '1a', '<mask>', ' <mask>', '<mask> ', '<s>', '</s>', '<pad>', '[X]'],
  ...[
    '<l>',
    ' <l>',
    '<r>  ',
    '  <lr>  ',
    'word',
    ' word',
    'e\u0301',
    'é',
    'q\u0323\u0307',
    '각',
    '각',
    '👩‍👩‍👧‍👦',
    '日本',
    'Ġ',
    'Ċ',
    'Â',
    '<0x41>',
  ],
  ...[
    'the',
    ' the',
    ' rights',
    'human',
    ' Human',
    'xyz',
    'tion',
    ' ab',
    'abab',
    '\u0000',
    '\ud83d',
    '\ude00',
    '\ufeff',
    '\u200d',
    '\u0301',
    '@@',
  ],
];

const gpt2 = "'s|'t|'re|'ve|'m|'ll|'d| ?\\p{L}+| ?\\p{N}+| ?[^\\s\\p{L}\\p{N}]+|\\s+(?!\\S)|\\s+";
const cl100k = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`;
const tiktoken =
  "'(?i:[sdmt]|ll|ve|re)|[^\\r\\n\\p{L}\\p{N}]?+\\p{L}+|\\p{N}{1,3}| ?[^\\s\\p{L}\\p{N}]++[\\r\\n]*|\\s*[\\r\\n]|\\s+(?!\\S)|\\s+";

/** Tokenizers that differ from `base`, a byte-level BPE one, in one thing each. */
export function bpeVariants(base: BpeJson): ReadonlyMap<string, object> {
  const { vocab, merges } = base.model;
  const change = (changes: object): object => ({ ...base, ...changes });
  const model = (changes: object): object => ({ model: { ...base.model, ...changes } });
  const byteLevel = (options: object = {}) => ({
    type: 'ByteLevel',
    add_prefix_space: false,
    trim_offsets: true,
    use_regex: true,
    ...options,
  });
  const split = (Regex: string, options: object = {}) => ({
    type: 'Split',
    pattern: { Regex },
    behavior: 'Isolated',
    invert: false,
    ...options,
  });
  const sequence = (...pretokenizers: object[]) => ({ type: 'Sequence', pretokenizers });
  const byPattern = (Regex: string, options: object = {}) =>
    change({ pre_tokenizer: sequence(split(Regex, options), byteLevel({ use_regex: false })) });
  const roberta = (trim_offsets: boolean, add_prefix_space: boolean) => ({
    type: 'RobertaProcessing',
    sep: ['</s>', 2],
    cls: ['<s>', 0],
    trim_offsets,
    add_prefix_space,
  });
  let next = Object.keys(vocab).length;
  const withTokens = (...tokens: [string, object][]) => [
    ...base.added_tokens,
    ...tokens.map(([content, flags]) => addedToken(content, vocab[content] ?? next++, flags)),
  ];
  const tokens = (normalized: boolean) => {
    next = Object.keys(vocab).length;
    return withTokens(
      ['<l>', { lstrip: true, normalized }],
      ['<r>', { rstrip: true, normalized }],
      ['<lr>', { lstrip: true, rstrip: true, normalized, special: true }],
      ['word', { single_word: true, normalized }],
      ['xyz', { normalized }],
      ['  ', { normalized }],
      ['   ', { normalized }],
      ['é', { normalized }],
      ["'s!", { normalized: !normalized }],
      ['s\n', { normalized: !normalized, lstrip: true }],
    );
  };
  const bytes = new Set(['Ã', 'l', 'Ġ', '©', 'x', '1']);
  const isWhole = (token: string) => ![...bytes].some((byte) => token.includes(byte));
  const someBytes = renumber(Object.keys(vocab).filter(isWhole));
  const someMerges = merges.filter(isWhole);
  const suffixed = withSuffix(vocab, merges);
  const characters = renumber([
    '<unk>',
    '</s>',
    '<s>',
    '<pad>',
    '<mask>',
    ...' abcdehinorst.Ġ日é',
    'th',
    'the',
    'an',
    'and',
    'er',
    'st',
    'on',
  ]);
  const characterMerges = ['t h', 'th e', 'a n', 'an d', 'e r', 's t', 'o n'];
  const fallback = renumber([
    ...Object.keys(characters),
    ...Array.from({ length: 256 }, (_, byte) => `<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`).filter(
      (_, byte) => byte !== 0xa9,
    ),
  ]);
  const plain = { added_tokens: [], post_processor: null, pre_tokenizer: { type: 'Digits', individual_digits: true } };
  return new Map([
    ['as it is', base],
    ['no prefix space, trimmed', change({ pre_tokenizer: byteLevel(), post_processor: roberta(true, false) })],
    ['prefix space, trimmed', change({ pre_tokenizer: byteLevel({ add_prefix_space: true }), post_processor: roberta(true, true) })],
    ['ByteLevel as post-processor', change({ post_processor: byteLevel({ add_prefix_space: true }) })],
    [
      'ByteLevel before a template',
      change({
        post_processor: {
          type: 'Sequence',
          processors: [
            byteLevel(),
            { type: 'TemplateProcessing', single: [{ Sequence: { id: 'A', type_id: 1 } }], pair: [], special_tokens: {} },
          ],
        },
      }),
    ],
    ['added tokens in the text', change({ added_tokens: tokens(false), post_processor: roberta(true, true) })],
    ['added tokens in normalized text', change({ added_tokens: tokens(true), post_processor: roberta(true, false) })],
    ['added tokens and NFC', change({ added_tokens: tokens(true), normalizer: { type: 'NFC' }, pre_tokenizer: byteLevel() })],
    ['NFC', change({ normalizer: { type: 'NFC' }, pre_tokenizer: byteLevel(), post_processor: roberta(true, false) })],
    ['NFKC and Lowercase', change({ normalizer: { type: 'Sequence', normalizers: [{ type: 'NFKC' }, { type: 'Lowercase' }] } })],
    ['GPT-2 pattern in a Split', byPattern(gpt2)],
    ['cl100k', byPattern(cl100k('\\p{N}{1,3}'))],
    ['cl100k, inverted', byPattern(cl100k('\\p{N}{1,3}'), { behavior: 'Removed', invert: true })],
    ['cl100k as tiktoken has it', byPattern(tiktoken)],
    ['cl100k and added tokens', { ...byPattern(cl100k('\\p{N}{1,3}')), added_tokens: tokens(true) }],
    ['Qwen2', byPattern(cl100k('\\p{N}'))],
    ['no pattern', change({ pre_tokenizer: byteLevel({ use_regex: false }) })],
    ['no pattern, prefix space', change({ pre_tokenizer: byteLevel({ use_regex: false, add_prefix_space: true }) })],
    ['Digits before', change({ pre_tokenizer: sequence({ type: 'Digits', individual_digits: true }, byteLevel()) })],
    [
      'Punctuation before',
      change({ pre_tokenizer: sequence({ type: 'Punctuation', behavior: 'Contiguous' }, byteLevel({ add_prefix_space: true })) }),
    ],
    ['WhitespaceSplit before', change({ pre_tokenizer: sequence({ type: 'WhitespaceSplit' }, byteLevel({ add_prefix_space: true })) })],
    ['BertPreTokenizer before', change({ pre_tokenizer: sequence({ type: 'BertPreTokenizer' }, byteLevel()) })],
    [
      'merges ignored',
      change({ ...model({ ignore_merges: true, vocab: { ...vocab, 'Ġword!': next } }), pre_tokenizer: byteLevel({ use_regex: false }) }),
    ],
    [
      'bytes missing, no unknown token',
      change({ added_tokens: [], post_processor: null, ...model({ vocab: someBytes, merges: someMerges }) }),
    ],
    [
      'bytes missing, an unknown token',
      change({ added_tokens: [], post_processor: null, ...model({ vocab: someBytes, merges: someMerges, unk_token: '<unk>' }) }),
    ],
    [
      'bytes missing, unknown tokens fused',
      change({
        added_tokens: [],
        post_processor: null,
        ...model({ vocab: someBytes, merges: someMerges, unk_token: '<unk>', fuse_unk: true }),
      }),
    ],
    [
      'suffix at the end of words',
      change({ added_tokens: [], post_processor: null, ...model({ ...suffixed, end_of_word_suffix: '</w>' }) }),
    ],
    [
      'characters, unknown ones fused',
      change({ ...plain, ...model({ vocab: characters, merges: characterMerges, unk_token: '<unk>', fuse_unk: true }) }),
    ],
    ['characters, unknown ones left out', change({ ...plain, ...model({ vocab: characters, merges: characterMerges }) })],
    [
      'byte fallback with a byte missing',
      change({ ...plain, ...model({ vocab: fallback, merges: characterMerges, unk_token: '<unk>', fuse_unk: true, byte_fallback: true }) }),
    ],
    [
      'prefix of continuations',
      change({
        ...plain,
        ...model({
          vocab: renumber(['<unk>', ...'abcdehinorst', ...Array.from('abcdehinorst', (c) => `##${c}`), 'th', 'the', '##an', '##and']),
          merges: ['t ##h', 'th ##e', '##a ##n', '##an ##d'],
          unk_token: '<unk>',
          continuing_subword_prefix: '##',
        }),
      }),
    ],
  ]);
}

function renumber(tokens: readonly string[]): Record<string, number> {
  return Object.fromEntries(tokens.map((token, id) => [token, id]));
}

/** A vocabulary whose tokens can end words: every byte and some merges exist with "</w>" too. */
function withSuffix(vocab: Readonly<Record<string, number>>, merges: readonly string[]): { vocab: object; merges: readonly string[] } {
  const ends = Object.keys(vocab)
    .filter((token) => token.length <= 2 && !token.startsWith('<'))
    .map((token) => `${token}</w>`);
  const tokens = new Set([...Object.keys(vocab), ...ends]);
  const endMerges = merges.slice(0, 400).map((merge) => `${merge}</w>`);
  const isKnown = (merge: string) => merge.split(' ').every((part) => tokens.has(part)) && tokens.has(merge.replace(' ', ''));
  return { vocab: renumber([...tokens]), merges: [...endMerges, ...merges].filter(isKnown) };
}
