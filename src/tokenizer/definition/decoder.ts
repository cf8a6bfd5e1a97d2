/** How tokens become text again (the WordPiece decoder). */
export interface DecoderOptions {
  /** What marks a token that continues a word. */
  readonly prefix: string;
  /** Takes back the spaces that tokenizing put before punctuation and English contractions. */
  readonly cleanup: boolean;
}

// In this order, each on every single token.
const CLEANUP: readonly (readonly [string, string])[] = [
  [' .', '.'],
  [' ?', '?'],
  [' !', '!'],
  [' ,', ','],
  [" ' ", "'"],
  [" n't", "n't"],
  [" 'm", "'m"],
  [' do not', " don't"],
  [" 's", "'s"],
  [" 've", "'ve"],
  [" 're", "'re"],
];

/** transformers' clean_up_tokenization: the same for a whole text, but for " do not". */
export function cleanUpSpaces(text: string): string {
  let clean = text;
  for (const [from, to] of CLEANUP) if (from !== ' do not') clean = clean.replaceAll(from, to);
  return clean;
}

/** Joins tokens into text; without a decoder, by spaces. */
export function decodeTokens(tokens: readonly string[], decoder: DecoderOptions | null): string {
  if (decoder === null) return tokens.join(' ');
  return tokens
    .map((token, i) => {
      let text = token;
      if (i > 0) text = token.startsWith(decoder.prefix) ? token.slice(decoder.prefix.length) : ` ${token}`;
      if (decoder.cleanup) for (const [from, to] of CLEANUP) text = text.replaceAll(from, to);
      return text;
    })
    .join('');
}
