import { makeCharsmap } from '../support/charsmap.js';
import { type Target, useTokenizer } from './target.js';

const special = ['<s>', '<pad>', '</s>', '<unk>', '<mask>'];
const metaspace = { type: 'Metaspace', replacement: '▁', prepend_scheme: 'always', split: true };
const pieces: [string, number][] = [
  ...special.map((piece): [string, number] => [piece, 0]),
  ['▁', -2.5],
  ['a', -3.4635426998138428],
  ['b', -3.625642776489258],
  ['ab', -4],
  ['▁hello', -5.072621822357178],
  ['lo', -6],
  ['京', -7.25],
  ['😀', -8],
];
const charsmap = makeCharsmap([
  ['①', '1'],
  ['ﬁ', 'fi'],
  ['e\u0301', 'é'],
  ['\u00ad', ''],
  ['a', 'a'],
  ['京', '京ab'],
]);

function jsonOf(map: Uint8Array, model: object = {}, parts: object = {}): string {
  return JSON.stringify({
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: special.map((content, id) => ({
      ...{ id, content, single_word: id === 3, lstrip: content === '<mask>', rstrip: id === 0, normalized: id > 2, special: true },
    })),
    normalizer: {
      type: 'Sequence',
      normalizers: [
        { type: 'Precompiled', precompiled_charsmap: Buffer.from(map).toString('base64') },
        { type: 'Replace', pattern: { Regex: ' {2,}' }, content: ' ' },
      ],
    },
    pre_tokenizer: metaspace,
    post_processor: { type: 'RobertaProcessing', sep: ['</s>', 2], cls: ['<s>', 0], trim_offsets: true, add_prefix_space: true },
    decoder: metaspace,
    model: { type: 'Unigram', unk_id: 3, vocab: pieces, byte_fallback: false, ...model },
    ...parts,
  });
}

const bytes = Array.from({ length: 256 }, (_, byte): [string, number] => [`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`, 0]);
const seeds = [
  jsonOf(charsmap),
  jsonOf(charsmap, { byte_fallback: true, vocab: [...pieces, ...bytes.slice(0xe0, 0xf0)] }),
  jsonOf(
    charsmap,
    {},
    { pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, metaspace] }, normalizer: { type: 'Nmt' } },
  ),
];
const text = 'Hello, <mask>  abab 京!  ﬁ①\n\n e\u0301\ud800 a\u00ad\u0301 😀😀</s><unk> ';

const unigramJson: Target = {
  name: 'tokenizer.json of Unigram',
  share: 8,
  seeds: seeds.map((json) => Buffer.from(json)),
  read: (mutated) => useTokenizer({ tokenizerJson: mutated.toString('utf8') }, text),
};

/** The map alone: mutations get past base64 and meet the double array and its strings. */
const precompiled: Target = {
  name: 'precompiled map',
  share: 8,
  seeds: [Buffer.from(charsmap), Buffer.from(makeCharsmap([['x', 'yz']]))],
  read: (mutated) => useTokenizer({ tokenizerJson: jsonOf(mutated) }, text),
};

/** Readers of Unigram tokenizers' files. */
export const unigramTargets: readonly Target[] = [unigramJson, precompiled];
