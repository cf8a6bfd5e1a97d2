import type { Random } from './tokenizer-strings.js';
import { addedToken, bertNormalizer, phrases, type TokenizerJson } from './tokenizer-variants.js';

const contents = [
  ...['qfoo', 'Yester', '<m>', '日々', 'zz', 'zzq', '<x y>', 'Éa', 'é', ' q', 'a', 'the', '!', '!!', '\u0316z', '😀x', 'ΟΣ', 'İx', '<r>'],
  ...['bar baz', 'x ', 'ﬁ', '각', 'ab', '<b', 'b>', '\u302e', 'no\u0301', '[MA', 'B ', '。'],
];

/** Texts in which the added tokens of `withAddedTokens` are likely to be found, also one in another. */
export const addedTokenPhrases = [
  ...[...phrases, ...contents, ...contents, 'a b', 'ΣΑΣ', '     ', ' \t ', '\u0000 ', 'zzzq', '<<m>>', 'abab', 'xx ', 'q q'],
];

/** `base` with a few added tokens of every combination of properties, and now and then another normalizer or trimmed offsets. */
export function withAddedTokens(base: TokenizerJson, random: Random): TokenizerJson {
  const { vocab } = base.model;
  let next = Object.keys(vocab).length;
  const rarely = (one: number): boolean => random.below(one) === 0;
  const tokens = new Map<string, object>();
  for (let i = random.below(7); i >= 0; i--) {
    const content = random.pick(contents);
    if (tokens.has(content)) continue;
    const [lstrip, rstrip, special] = [rarely(3), rarely(3), rarely(5)];
    const flags = { normalized: !rarely(3), lstrip, rstrip, single_word: rarely(4), special };
    tokens.set(content, addedToken(content, vocab[content] ?? next++, flags));
  }
  const normalizer = bertNormalizer({
    clean_text: !rarely(4),
    handle_chinese_chars: !rarely(4),
    strip_accents: random.pick([null, true, false]),
    lowercase: !rarely(3),
  });
  const trimmed = { type: 'RobertaProcessing', sep: ['[SEP]', 102], cls: ['[CLS]', 101], trim_offsets: true, add_prefix_space: rarely(2) };
  return {
    ...base,
    added_tokens: [...base.added_tokens, ...tokens.values()],
    ...{ normalizer: rarely(6) ? null : normalizer },
    ...(rarely(4) ? { post_processor: trimmed } : {}),
  };
}
