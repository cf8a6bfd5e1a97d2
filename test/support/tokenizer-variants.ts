/** The fields of a tokenizer.json that tests change. */
export interface TokenizerJson {
  readonly added_tokens: readonly object[];
  readonly model: { readonly vocab: Readonly<Record<string, number>> };
}

/** An entry of `added_tokens`. */
export function addedToken(content: string, id: number, flags: object = {}): object {
  return { id, content, single_word: false, lstrip: false, rstrip: false, normalized: false, special: false, ...flags };
}

/** A BertNormalizer entry. */
export function bertNormalizer(options: object = {}): object {
  return { type: 'BertNormalizer', clean_text: true, handle_chinese_chars: true, strip_accents: null, lowercase: true, ...options };
}

/** Texts in which the added tokens of `variants` are likely to be found. */
export const phrases = [
  ...['[MASK]', '[SEP]', '[CLS', 'qfoo', 'foo', 'bar baz', '<m>', ' <m> ', '<r>  ', '  <lr> ', 'é', '😀x', ' q', '[MA', '\u0316z'],
  ...['yester', 'Yester', 'éa', '日々', '日', 'zz', 'zzq', '<x y>', 'hello', 'Unaffable', 'ing', 'Ġ', '!!', '...', 'a'.repeat(98)],
];

/** Tokenizers that differ from `base` in one thing each. */
export function variants(base: TokenizerJson): ReadonlyMap<string, object> {
  const { vocab } = base.model;
  const withTokens = (...tokens: [string, object?][]): object[] => {
    let next = Object.keys(vocab).length;
    return [...base.added_tokens, ...tokens.map(([content, flags]) => addedToken(content, vocab[content] ?? next++, flags))];
  };
  const inText = withTokens(
    ['qfoo'],
    ['bar baz', { single_word: true }],
    ['<m>', { lstrip: true, special: true }],
    ['<r>', { rstrip: true }],
    ['<lr>', { lstrip: true, rstrip: true, single_word: true }],
    ['é'],
    ['😀x', { single_word: true }],
    [' q'],
    ['[MA'],
    ['\u0316z'],
  );
  const inNormalized = withTokens(
    ['qfoo'],
    ['<m>', { lstrip: true, special: true }],
    ['Yester', { normalized: true }],
    ['Éa', { normalized: true, single_word: true }],
    ['日々', { normalized: true, lstrip: true }],
    ['zzq', { normalized: true, lstrip: true, rstrip: true }],
    ['<x y>', { normalized: true, special: true }],
  );
  const roberta = { type: 'RobertaProcessing', sep: ['[SEP]', 102], cls: ['[CLS]', 101] };
  const change = (changes: object): object => ({ ...base, ...changes });
  return new Map([
    ['accents kept', change({ normalizer: bertNormalizer({ strip_accents: false }) })],
    ['accents stripped, case kept', change({ normalizer: bertNormalizer({ strip_accents: true, lowercase: false }) })],
    ['case and accents kept', change({ normalizer: bertNormalizer({ lowercase: false }) })],
    ['text not cleaned', change({ normalizer: bertNormalizer({ clean_text: false }) })],
    ['ideographs not set apart', change({ normalizer: bertNormalizer({ handle_chinese_chars: false }) })],
    ['no normalizer', change({ normalizer: null })],
    ['Lowercase', change({ normalizer: { type: 'Lowercase' } })],
    [
      'sequences of one, WhitespaceSplit and Punctuation',
      change({
        normalizer: { type: 'Sequence', normalizers: [bertNormalizer()] },
        pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'WhitespaceSplit' }, { type: 'Punctuation', behavior: 'Isolated' }] },
      }),
    ],
    ['added tokens', change({ added_tokens: inText })],
    ['normalized added tokens', change({ added_tokens: inNormalized })],
    ['normalized added tokens, not cleaned', change({ added_tokens: inNormalized, normalizer: bertNormalizer({ clean_text: false }) })],
    [
      'RobertaProcessing, offsets trimmed',
      change({ added_tokens: inText, post_processor: { ...roberta, trim_offsets: true, add_prefix_space: false } }),
    ],
    [
      'RobertaProcessing with prefix space',
      change({ added_tokens: inNormalized, post_processor: { ...roberta, trim_offsets: true, add_prefix_space: true } }),
    ],
    ['RobertaProcessing, offsets as they are', change({ added_tokens: inText, post_processor: { ...roberta, trim_offsets: false } })],
    ['BertProcessing', change({ post_processor: { ...roberta, type: 'BertProcessing' } })],
    ['no post-processor', change({ post_processor: null })],
    ['words of at most 5 characters', change({ model: { ...base.model, max_input_chars_per_word: 5 } })],
    ['no prefix for continuations', change({ model: { ...base.model, continuing_subword_prefix: '' } })],
  ]);
}
