import { makeCharsmap } from './charsmap.js';
import { addedToken } from './tokenizer-variants.js';
import { type Random } from './tokenizer-strings.js';

/** Texts in which pieces and what the normalizers of `unigramVariants` look for are likely to be found. */
export const unigramPhrases = [
  ...[
    '``',
    "''",
    '  ',
    '   ',
    '\t\n',
    '▁',
    '▁▁',
    ' ▁',
    'the',
    ' the ',
    'hello world',
    'né',
    'e\u0301',
    'A\u030a\u0301',
    '\r\n',
    '①',
    'ﬁ',
    '㌀',
  ],
  ...[
    '<unk>',
    '<s>',
    '</s>',
    '<mask>',
    ' <mask>',
    '<0x41>',
    '[MASK]',
    '한국',
    '\u1112\u1161\u11ab',
    'क्षि',
    '👨\u200d👩\u200d👧',
    '🇩🇪🇫',
    '👍🏽',
  ],
  ...['\u0301\u0302\u0303', 'a\u200d\u0301', '\u00ad', 'x\u00ad\u00ad', '©\u200d©', '日本語', 'ｶﾞ', 'あ\u3099', '\u0600a', '…', 'İ', 'ẞ'],
];

/** A character map in which keys are single characters, clusters, prefixes of clusters and parts of characters, and values of any length. */
export const charsmap = Buffer.from(
  makeCharsmap([
    ...([
      ['①', '1'],
      ['ﬁ', 'fi'],
      ['㌀', 'アパート'],
      ['\t', ' '],
      ['\n', ' '],
      ['\r', ' '],
      ['…', '...'],
      ['\u3000', ' '],
    ] as const),
    ...([
      ['e\u0301', 'é'],
      ['A\u030a', 'Å'],
      ['\u00ad', ''],
      ['\u200d', ''],
      ['a\u0301', ''],
      ['\u0302', '^^'],
      ['日', '\u{20000}'],
    ] as const),
    ...([
      ['x', 'yz'],
      ['xx', 'never'],
      ['क', 'K'],
      ['\u1112\u1161', '하'],
      ['👍', 'up'],
      ['\u0600', '#'],
      ['Z', ''],
    ] as const),
  ]),
).toString('base64');

const METASPACE = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
const sequence = (...pretokenizers: object[]) => ({ type: 'Sequence', pretokenizers });
const normalizers = (...steps: object[]) => ({ type: 'Sequence', normalizers: steps });
const precompiled = { type: 'Precompiled', precompiled_charsmap: charsmap };
const strip = { type: 'Strip', strip_left: true, strip_right: true };
const replace = (pattern: object, content: string) => ({ type: 'Replace', pattern, content });

/** Pieces with scores: characters, and strings of a few of them, some of them twice, some with equal scores. */
export function randomPieces(random: Random): [string, number][] {
  const letters = Array.from('▁▁▁aethlowrdénsxyzfi1.日本語語アà한국K#^한\u0301🇩👨');
  const pieces: [string, number][] = [
    ['<unk>', 0],
    ['<s>', 0],
    ['</s>', 0],
    ['<mask>', 0],
  ];
  for (const letter of new Set(letters)) if (random.below(8) > 0) pieces.push([letter, -5 - random.below(40) / 8]);
  for (let i = 0; i < 300; i++) {
    const length = 2 + random.below(4);
    const piece = Array.from({ length }, () => random.pick(letters)).join('');
    pieces.push([piece, random.below(3) === 0 ? -8 : -(1 + random.below(1 << 30) / (1 << 27))]);
  }
  return [...pieces, ['▁the', -2.5], ['the', -3], ['▁hello', -4.123456789012345], ['▁wor', -5.5], ['ld', -4]];
}

/** Unigram tokenizers that differ in normalizer, pre-tokenizer, added tokens or model. */
export function unigramVariants(random: Random): ReadonlyMap<string, object> {
  const tokens = ['<unk>', '<s>', '</s>', '<mask>'].map((content, id) =>
    addedToken(content, id, { special: true, lstrip: content === '<mask>' }),
  );
  const make = (changes: object, model: object = {}): object => ({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: tokens,
    normalizer: null,
    pre_tokenizer: METASPACE,
    post_processor: null,
    decoder: METASPACE,
    model: { type: 'Unigram', unk_id: 0, byte_fallback: false, vocab: randomPieces(random), ...model },
    ...changes,
  });
  const bytes = Array.from({ length: 256 }, (_, byte): [string, number] => [`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, 0]);
  const pieces = randomPieces(random);
  const withBytes = [...randomPieces(random), ...bytes];
  const spaces = replace({ Regex: ' {2,}' }, ' ');
  return new Map([
    ['Metaspace alone', make({})],
    ['first', make({ pre_tokenizer: { ...METASPACE, prepend_scheme: 'first' } })],
    ['never', make({ pre_tokenizer: { ...METASPACE, prepend_scheme: 'never' } })],
    ['not split', make({ pre_tokenizer: { ...METASPACE, split: false }, normalizer: precompiled })],
    ['no pre-tokenizer', make({ pre_tokenizer: null })],
    ['WhitespaceSplit before', make({ pre_tokenizer: sequence({ type: 'WhitespaceSplit' }, { ...METASPACE, prepend_scheme: 'first' }) })],
    [
      'Punctuation and Digits before',
      make({
        pre_tokenizer: sequence({ type: 'Punctuation' }, { type: 'Digits', individual_digits: true }, METASPACE),
        normalizer: precompiled,
      }),
    ],
    ['another replacement', make({ pre_tokenizer: { ...METASPACE, replacement: 'x' } })],
    ['Precompiled', make({ normalizer: precompiled, pre_tokenizer: { type: 'Metaspace', replacement: '▁', add_prefix_space: true } })],
    ['Precompiled twice', make({ normalizer: normalizers({ type: 'NFKD' }, precompiled, { type: 'Lowercase' }, precompiled) })],
    ['Strip, Precompiled, spaces', make({ normalizer: normalizers(strip, precompiled, spaces) })],
    ['Precompiled, Strip, spaces as they are', make({ normalizer: normalizers(precompiled, strip, replace({ Regex: ' {2,}' }, '▁')) })],
    ['first after Strip', make({ normalizer: strip, pre_tokenizer: { ...METASPACE, prepend_scheme: 'first' } })],
    [
      'like ALBERT',
      make({
        normalizer: normalizers(
          ...[replace({ String: '``' }, '"'), replace({ String: "''" }, '"'), { type: 'NFKD' }, { type: 'StripAccents' }],
          ...[{ type: 'Lowercase' }, precompiled, spaces],
        ),
        pre_tokenizer: sequence({ type: 'WhitespaceSplit' }, METASPACE),
      }),
    ],
    [
      'like a translator',
      make({ normalizer: normalizers({ type: 'Nmt' }, { type: 'NFKC' }, replace({ Regex: '\\s{2,}|[\\n\\r\\t]' }, ' '), { type: 'NFC' }) }),
    ],
    ['byte fallback', make({ normalizer: precompiled }, { byte_fallback: true, vocab: withBytes })],
    ['byte fallback without some bytes', make({}, { byte_fallback: true, vocab: withBytes.filter(([piece]) => piece !== '<0x82>') })],
    ['the unknown piece in the middle', make({ added_tokens: [] }, { unk_id: 9 })],
    [
      'added tokens in normalized text',
      make(
        {
          normalizer: normalizers(precompiled, spaces),
          pre_tokenizer: { ...METASPACE, prepend_scheme: 'first' },
          added_tokens: [
            ...tokens,
            addedToken('hello', pieces.length, { normalized: true }),
            addedToken('①', pieces.length + 1, { normalized: true }),
          ],
        },
        { vocab: pieces },
      ),
    ],
  ]);
}
