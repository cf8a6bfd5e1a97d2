import type { ReplacePattern } from '../normalizers/replace.js';
import type { PieceType } from '../unigram/sentencepiece-tokens.js';
import { byteOf } from '../vocabulary/byte-level.js';

/** A decoder as tokenizer.json names it. */
export type DecoderStep =
  | {
      readonly type: 'WordPiece';
      /** What marks a token that continues a word. */
      readonly prefix: string;
      /** Takes back the spaces that tokenizing put before punctuation and English contractions. */
      readonly cleanup: boolean;
    }
  | { readonly type: 'ByteLevel' | 'ByteFallback' | 'Fuse' }
  | {
      readonly type: 'BPEDecoder';
      /** What marks a token that ends a word. */
      readonly suffix: string;
    }
  | {
      readonly type: 'Metaspace';
      /** The character that stands for a space. */
      readonly replacement: string;
      /** Whether the first one of a text was put there. */
      readonly isPrepended: boolean;
    }
  | {
      /** Joins tokens; U+2581 is a space, and those at both ends go. */
      readonly type: 'VisibleSpace';
    }
  | {
      /** Joins what lies between special tokens as a SentencePiece model decodes it. */
      readonly type: 'SentencePiece';
      readonly special: ReadonlySet<string>;
      /** What the model's pieces are. */
      readonly types: ReadonlyMap<string, PieceType>;
      /** Which spaces go before the first character: those of all pieces, one, or none. */
      readonly leading: 'all' | 'first' | 'none';
    }
  | { readonly type: 'Strip'; readonly content: string; readonly start: number; readonly stop: number }
  | { readonly type: 'Replace'; readonly pattern: ReplacePattern; readonly content: string };

/** Decoders in their order; null: tokens are joined by spaces. */
export type Decoder = readonly DecoderStep[] | null;

/** The decoder of WordPiece's tokens. */
export function wordPieceDecoder(prefix: string, cleanup: boolean): Decoder {
  return [{ type: 'WordPiece', prefix, cleanup }];
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
export function decodeTokens(tokens: readonly string[], decoder: Decoder): string {
  if (decoder === null) return tokens.join(' ');
  return decoder.reduce<readonly string[]>(decodeStep, tokens).join('');
}

function decodeStep(tokens: readonly string[], step: DecoderStep): readonly string[] {
  switch (step.type) {
    case 'WordPiece':
      return tokens.map((token, i) => decodeWordPiece(token, i === 0, step.prefix, step.cleanup));
    case 'ByteLevel':
      return [textOfBytes(tokens.flatMap(bytesOfToken))];
    case 'BPEDecoder':
      return tokens.map((token, i) => token.replaceAll(step.suffix, i === tokens.length - 1 ? '' : ' '));
    case 'Metaspace':
      return tokens.map((token, i) => token.replaceAll(step.replacement, i === 0 && step.isPrepended ? '' : ' '));
    case 'Fuse':
      return [tokens.join('')];
    case 'Strip':
      return tokens.map((token) => strip(token, step.content, step.start, step.stop));
    case 'Replace':
      return tokens.map((token) => replaceMatches(token, step.pattern, step.content));
    case 'ByteFallback':
      return joinBytes(tokens);
    case 'VisibleSpace':
      return [withSpaces(tokens.join(''))];
    case 'SentencePiece':
      return [decodePieces(tokens, step)];
  }
}

const VISIBLE_SPACE = '\u2581';

/** Python's str.isspace. */
const kSpace = /[\t-\r\x1c-\x20\x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]/;

/** U+2581 as spaces, without Python's white space at the ends. */
function withSpaces(text: string): string {
  const spaced = text.replaceAll(VISIBLE_SPACE, ' ');
  let [from, to] = [0, spaced.length];
  while (from < to && kSpace.test(spaced[from] as string)) from++;
  while (to > from && kSpace.test(spaced[to - 1] as string)) to--;
  return spaced.slice(from, to);
}

function decodeWordPiece(token: string, isFirst: boolean, prefix: string, cleanup: boolean): string {
  let text = token;
  if (!isFirst) text = token.startsWith(prefix) ? token.slice(prefix.length) : ` ${token}`;
  if (cleanup) for (const [from, to] of CLEANUP) text = text.replaceAll(from, to);
  return text;
}

/** The bytes that a byte-level token stands for; a token with any other character is text. */
function bytesOfToken(token: string): number[] {
  const bytes: number[] = [];
  for (let k = 0; k < token.length; k++) {
    const byte = byteOf(token.charCodeAt(k));
    if (byte === undefined) return Array.from(new TextEncoder().encode(token));
    bytes.push(byte);
  }
  return bytes;
}

/** Bytes that are no UTF-8 become U+FFFD. */
function textOfBytes(bytes: readonly number[]): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(Uint8Array.from(bytes));
}

/** Runs of tokens such as `<0xE2>` as the characters that they are the bytes of; as many U+FFFD where they are none. */
function joinBytes(tokens: readonly string[]): readonly string[] {
  const joined: string[] = [];
  let bytes: number[] = [];
  const flush = (): void => {
    if (bytes.length === 0) return;
    const text = textOfBytes(bytes);
    const isText = Buffer.from(text, 'utf8').equals(Uint8Array.from(bytes));
    joined.push(isText ? text : '\ufffd'.repeat(bytes.length));
    bytes = [];
  };
  for (const token of tokens) {
    const [, digits] = /^<0x([0-9a-fA-F]{2}|\+[0-9a-fA-F])>$/.exec(token) ?? [];
    if (digits !== undefined) {
      bytes.push(parseInt(digits, 16));
      continue;
    }
    flush();
    joined.push(token);
  }
  flush();
  return joined;
}

/** Characters of bytes as SentencePiece reads them: U+FFFD for each byte that belongs to none. */
function textOfEachByte(bytes: readonly number[]): string {
  let text = '';
  for (let at = 0; at < bytes.length;) {
    const first = bytes[at] as number;
    const size = first < 0x80 ? 1 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    const character = textOfBytes(bytes.slice(at, at + size));
    const isOne = character !== '\ufffd' && Array.from(character).length === 1;
    text += isOne ? character : '\ufffd';
    at += isOne ? size : 1;
  }
  return text;
}

function decodePieces(tokens: readonly string[], { special, types, leading }: Extract<DecoderStep, { type: 'SentencePiece' }>): string {
  let text = '';
  let run = '';
  let mayStrip = leading !== 'none';
  let bytes: number[] = [];
  const endBytes = (): void => {
    run += textOfEachByte(bytes);
    bytes = [];
  };
  for (const token of tokens) {
    const type = types.get(token);
    if (special.has(token)) {
      endBytes();
      text += `${run}${token} `;
      run = '';
      mayStrip = leading !== 'none';
    } else if (type === 'byte') bytes.push(parseInt(token.slice(3, 5), 16));
    else if (type === undefined) {
      endBytes();
      run += token;
    } else if (type === 'unknown') {
      endBytes();
      run += ' \u2047 ';
    } else if (type !== 'control') {
      endBytes();
      const isFirst = run === '' && mayStrip && token.startsWith(VISIBLE_SPACE);
      run += isFirst ? token.slice(1) : token;
      if (isFirst && leading === 'first') mayStrip = false;
    }
  }
  endBytes();
  return withSpaces(text + run);
}

/** A token without up to `start` times `content` at its beginning, and `stop` times at its end. */
function strip(token: string, content: string, start: number, stop: number): string {
  const characters = Array.from(token);
  let [from, to] = [0, characters.length];
  while (from < Math.min(start, characters.length) && characters[from] === content) from++;
  while (characters.length - to < stop && to > from && characters[to - 1] === content) to--;
  return characters.slice(from, to).join('');
}

function replaceMatches(token: string, pattern: ReplacePattern, content: string): string {
  if (pattern.literal !== undefined) return token.replaceAll(String.fromCodePoint(...pattern.literal), () => content);
  let text = '';
  let isInRun = false;
  for (const character of token) {
    const isMatch = pattern.set.has(character.codePointAt(0) as number);
    if (!isMatch) text += character;
    else if (!isInRun || !pattern.isRun) text += content;
    isInRun = isMatch;
  }
  return text;
}
