// Derives the tokenizer's Unicode tables from the reference implementation (npm `tokenizers`, the Rust library) and writes
// src/tokenizer/unicode/unicode-tables.ts. JavaScript's own tables differ from the reference's (decomposition of 509 code points,
// punctuation of 143, control characters of hundreds of thousands) and move with every ICU update; these do not.
//   node --import tsx scripts/make-unicode-tables.ts [--check]
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import tokenizers from 'tokenizers';
import { deriveClusterClasses } from './unicode/cluster-classes.js';

export interface UnicodeTables {
  /** Sorted, disjoint [start, endExclusive] ranges. */
  readonly removed: number[][];
  readonly whitespace: number[][];
  readonly punctuation: number[][];
  readonly chinese: number[][];
  readonly nonspacingMarks: number[][];
  readonly marks: number[][];
  readonly wordCharacters: number[][];
  readonly numeric: number[][];
  readonly digits: number[][];
  readonly letters: number[][];
  readonly numbers: number[][];
  /** Code points whose compatibility decomposition is not their canonical one. */
  readonly compatible: number[][];
  /** `combiningClasses[i]`: the code points of the i-th lowest non-zero canonical combining class. */
  readonly combiningClasses: number[][][];
  /** In the order of `ClusterClasses`. */
  readonly clusterClasses: number[][][];
  readonly decompositions: Map<number, number[]>;
  readonly lowercase: Map<number, number[]>;
}

const OUTPUT = fileURLToPath(new URL('../src/tokenizer/unicode/unicode-tables.ts', import.meta.url));
const BLOCK = 512;
const HANGUL_FIRST = 0xac00;
const HANGUL_END = 0xd7a4;

type Normalizer = ReturnType<typeof tokenizers.nfdNormalizer>;

function bert(enabled: tokenizers.BertNormalizerOptions): Normalizer {
  return tokenizers.bertNormalizer({ cleanText: false, handleChineseChars: false, stripAccents: false, lowercase: false, ...enabled });
}

/** Calls `visit` with every scalar value, in blocks of BLOCK. */
function forEachBlock(visit: (codePoints: number[]) => void): void {
  for (let start = 0; start < 0x110000; start += BLOCK) {
    if (start >= 0xd800 && start < 0xe000) continue;
    visit(Array.from({ length: BLOCK }, (_, i) => start + i));
  }
}

/** The normalizer's output for each of `inputs`, separated by letters that no normalizer step touches or reorders across. */
function normalizeAll(normalizer: Normalizer, inputs: readonly string[]): string[] {
  const parts = normalizer.normalizeString(inputs.join('xyz')).split('xyz');
  if (parts.length !== inputs.length) throw new Error('the separator did not survive the normalizer');
  return parts;
}

function toCodePoints(text: string): number[] {
  return Array.from(text, (c) => c.codePointAt(0) as number);
}

function toRanges(codePoints: readonly number[]): number[][] {
  const ranges: number[][] = [];
  for (const c of [...codePoints].sort((a, b) => a - b)) {
    const last = ranges.at(-1);
    if (last !== undefined && last[1] === c) last[1] = c + 1;
    else ranges.push([c, c + 1]);
  }
  return ranges;
}

/** Sorts the nonstarters among `stable` (code points that decompose to themselves) into combining classes, lowest first. */
function deriveCombiningClasses(stable: readonly number[]): number[][][] {
  const nfd = tokenizers.nfdNormalizer();
  const nonstarters: number[] = [];
  for (let i = 0; i < stable.length; i += BLOCK) {
    const block = stable.slice(i, i + BLOCK);
    const texts = block.map((c) => String.fromCodePoint(c));
    // U+0334 has the lowest class (1) and U+0345 the highest (240): whatever moves past one of them is a nonstarter.
    const beforeLowest = normalizeAll(
      nfd,
      texts.map((t) => `${t}\u0334`),
    );
    const afterHighest = normalizeAll(
      nfd,
      texts.map((t) => `\u0345${t}`),
    );
    block.forEach((c, k) => {
      const text = texts[k] as string;
      if (c === 0x334 || c === 0x345 || beforeLowest[k] !== `${text}\u0334` || afterHighest[k] !== `\u0345${text}`) nonstarters.push(c);
    });
  }
  const swaps = (a: number, b: number): boolean => {
    const text = String.fromCodePoint(a, b);
    return nfd.normalizeString(text) !== text;
  };
  const classes: number[][] = [];
  for (const c of nonstarters) {
    let index = 0;
    while (index < classes.length && swaps(c, (classes[index] as number[])[0] as number)) index++;
    const candidate = classes[index];
    if (candidate !== undefined && !swaps(candidate[0] as number, c)) candidate.push(c);
    else classes.splice(index, 0, [c]);
  }
  return classes.map(toRanges);
}

/** A tokenizer of the reference that knows no word, with `changes`. */
function makeTokenizer(changes: object): tokenizers.Tokenizer {
  const model = {
    type: 'WordPiece',
    unk_token: '[UNK]',
    continuing_subword_prefix: '##',
    max_input_chars_per_word: 1,
    vocab: { '[UNK]': 0 },
  };
  const parts = { truncation: null, padding: null, normalizer: null, pre_tokenizer: null, post_processor: null, decoder: null };
  return tokenizers.Tokenizer.fromString(JSON.stringify({ version: '1.0', ...parts, added_tokens: [], model, ...changes }));
}

/** Encodes all scalar values in blocks; calls `visit` with each block and the tokens of what `write` makes of it. */
async function encodeBlocks(
  tokenizer: tokenizers.Tokenizer,
  write: (character: string) => string,
  visit: (codePoints: readonly number[], encoding: tokenizers.Encoding) => void,
): Promise<void> {
  const blocks: number[][] = [];
  forEachBlock((codePoints) => blocks.push(codePoints));
  const texts = blocks.map((codePoints) => codePoints.map((c) => write(String.fromCodePoint(c))).join(''));
  const encodings = await tokenizer.encodeBatch(texts, { addSpecialTokens: false });
  encodings.forEach((encoding, b) => visit(blocks[b] as number[], encoding));
}

/** The `\w` of the reference's regular expressions: what keeps a single_word added token from matching beside it. */
async function deriveWordCharacters(): Promise<number[]> {
  const token = { id: 1, content: 'ZZ', single_word: true, lstrip: false, rstrip: false, normalized: false, special: false };
  const wordCharacters: number[] = [];
  await encodeBlocks(
    makeTokenizer({ added_tokens: [token] }),
    (character) => `.${character}ZZ.`,
    (codePoints, encoding) => {
      const offsets = encoding.getOffsets();
      const matched = new Set<number>();
      encoding.getIds().forEach((id, i) => {
        if (id === 1) matched.add((((offsets[i] as number[])[0] as number) - 2) / 5);
      });
      codePoints.forEach((c, k) => {
        if (!matched.has(k)) wordCharacters.push(c);
      });
    },
  );
  return wordCharacters;
}

/** The characters that an expression matches which Split and Replace take, such as `\d`. */
async function deriveMatches(expression: string): Promise<number[]> {
  const split = { type: 'Split', pattern: { Regex: expression }, behavior: 'Removed', invert: true };
  const matches: number[] = [];
  await encodeBlocks(
    makeTokenizer({ pre_tokenizer: split }),
    (character) => character,
    (codePoints, encoding) => {
      for (const [start] of encoding.getOffsets() as [number, number][]) matches.push(codePoints[start] as number);
    },
  );
  return matches;
}

/** Asks the reference about all 1,112,064 scalar values. Takes a few seconds. */
export async function deriveTables(): Promise<UnicodeTables> {
  const removed: number[] = [];
  const whitespace: number[] = [];
  const punctuation: number[] = [];
  const chinese: number[] = [];
  const nonspacingMarks: number[] = [];
  const marks: number[] = [];
  const numeric: number[] = [];
  const compatible: number[] = [];
  const stable: number[] = [];
  const decompositions = new Map<number, number[]>();
  const lowercase = new Map<number, number[]>();
  const [clean, handleChinese, strip, lower, nfd, nfkd] = [
    bert({ cleanText: true }),
    bert({ handleChineseChars: true }),
    bert({ stripAccents: true }),
    bert({ lowercase: true }),
    tokenizers.nfdNormalizer(),
    tokenizers.nfkdNormalizer(),
  ];
  const preTokenizer = tokenizers.bertPreTokenizer();
  const stripMarks = tokenizers.stripAccentsNormalizer();
  const digits = tokenizers.digitsPreTokenizer(true);
  const unexpected = (step: string, c: number): never => {
    throw new Error(`the reference's ${step} does something unforeseen to U+${c.toString(16)}`);
  };
  forEachBlock((codePoints) => {
    const texts = codePoints.map((c) => String.fromCodePoint(c));
    const cleaned = normalizeAll(clean, texts);
    const spaced = normalizeAll(handleChinese, texts);
    const stripped = normalizeAll(strip, texts);
    const unmarked = normalizeAll(stripMarks, texts);
    const lowered = normalizeAll(lower, texts);
    const decomposed = normalizeAll(nfd, texts);
    const decomposedCompatibly = normalizeAll(nfkd, texts);
    codePoints.forEach((c, k) => {
      const text = texts[k] as string;
      if (cleaned[k] === '') removed.push(c);
      else if (cleaned[k] !== text && cleaned[k] !== ' ') unexpected('clean_text', c);
      if (spaced[k] === ` ${text} `) chinese.push(c);
      else if (spaced[k] !== text) unexpected('handle_chinese_chars', c);
      if (lowered[k] !== text) lowercase.set(c, toCodePoints(lowered[k] as string));
      if (unmarked[k] === '') marks.push(c);
      if (decomposedCompatibly[k] !== decomposed[k]) compatible.push(c);
      if (decomposed[k] !== text) {
        if (c < HANGUL_FIRST || c >= HANGUL_END) decompositions.set(c, toCodePoints(decomposed[k] as string));
      } else {
        stable.push(c);
        if (stripped[k] === '') nonspacingMarks.push(c);
        else if (stripped[k] !== text) unexpected('strip_accents', c);
      }
      const pieces = preTokenizer.preTokenizeString(`a${text}b`).map(([piece]) => piece);
      if (pieces.length === 3 && pieces[1] === text) punctuation.push(c);
      else if (pieces.length === 2) whitespace.push(c);
      else if (pieces.length !== 1) unexpected('BertPreTokenizer', c);
      if (digits.preTokenizeString(`a${text}b`).length > 1) numeric.push(c);
    });
  });
  return {
    removed: toRanges(removed),
    whitespace: toRanges(whitespace),
    punctuation: toRanges(punctuation),
    chinese: toRanges(chinese),
    nonspacingMarks: toRanges(nonspacingMarks),
    marks: toRanges(marks),
    wordCharacters: toRanges(await deriveWordCharacters()),
    numeric: toRanges(numeric),
    digits: toRanges(await deriveMatches('\\d')),
    letters: toRanges(await deriveMatches('\\p{L}')),
    numbers: toRanges(await deriveMatches('\\p{N}')),
    compatible: toRanges(compatible),
    combiningClasses: deriveCombiningClasses(stable),
    clusterClasses: Object.values(deriveClusterClasses()).map((set: ReadonlySet<number>) => toRanges([...set])),
    decompositions,
    lowercase,
  };
}

function encodeRanges(ranges: readonly number[][]): string {
  let previous = 0;
  const fields: string[] = [];
  for (const [start, end] of ranges as [number, number][]) {
    fields.push((start - previous).toString(36), (end - start).toString(36));
    previous = end;
  }
  return fields.join(' ');
}

function encodeMapping(mapping: ReadonlyMap<number, readonly number[]>): string {
  let previous = 0;
  const fields: string[] = [];
  for (const [from, to] of [...mapping].sort((a, b) => a[0] - b[0])) {
    fields.push([from - previous, ...to.map((c) => c - from)].map((n) => n.toString(36)).join(','));
    previous = from;
  }
  return fields.join(' ');
}

function literal(name: string, comment: string, value: string): string {
  const lines = value.match(/.{1,130}/gu) ?? [''];
  return `/** ${comment} */\n// prettier-ignore\nexport const ${name} = [\n${lines.map((line) => `  '${line}',\n`).join('')}].join('');\n`;
}

/** The text of src/tokenizer/unicode/unicode-tables.ts. */
export function formatTables(tables: UnicodeTables): string {
  return [
    '// Made by scripts/make-unicode-tables.ts from npm tokenizers 0.23.2 (Rust); do not edit.',
    '// Ranges: pairs "gap length" in base 36, each gap counted from the end of the range before. Mappings: "gap,d1,d2,…" in base 36,',
    '// the gap counted from the entry before, the targets relative to the code point itself.\n',
    literal('REMOVED', 'Dropped by clean_text: U+0000, U+FFFD, control, format and private-use characters.', encodeRanges(tables.removed)),
    literal('WHITESPACE', 'Where the pre-tokenizer splits, and what clean_text makes a space.', encodeRanges(tables.whitespace)),
    literal('PUNCTUATION', 'A token of its own for the pre-tokenizer.', encodeRanges(tables.punctuation)),
    literal('CHINESE', 'Set apart by spaces with handle_chinese_chars.', encodeRanges(tables.chinese)),
    literal('NONSPACING_MARKS', 'Dropped after decomposition by strip_accents.', encodeRanges(tables.nonspacingMarks)),
    literal('MARKS', 'Dropped by the normalizer StripAccents: marks of all kinds.', encodeRanges(tables.marks)),
    literal(
      'WORD_CHARACTERS',
      'What the reference calls a word character around single_word added tokens.',
      encodeRanges(tables.wordCharacters),
    ),
    literal('NUMERIC', 'What the Digits pre-tokenizer sets apart.', encodeRanges(tables.numeric)),
    literal('DIGITS', 'Decimal digits: what the expressions of Split and Replace call \\d.', encodeRanges(tables.digits)),
    literal('LETTERS', 'What those expressions call \\p{L}.', encodeRanges(tables.letters)),
    literal('NUMBERS', 'What those expressions call \\p{N}.', encodeRanges(tables.numbers)),
    literal('COMPATIBLE', 'What has a compatibility decomposition beside the canonical one.', encodeRanges(tables.compatible)),
    literal(
      'COMBINING_CLASSES',
      'Non-zero canonical combining classes in ascending order, joined by "|".',
      tables.combiningClasses.map(encodeRanges).join('|'),
    ),
    literal(
      'CLUSTER_CLASSES',
      'Grapheme clusters: Control, Extend, SpacingMark, Prepend, jamo L, V, T, Extended_Pictographic, Indic consonants, linkers; joined by "|".',
      tables.clusterClasses.map(encodeRanges).join('|'),
    ),
    literal('DECOMPOSITIONS', 'Full canonical decompositions, without Hangul syllables.', encodeMapping(tables.decompositions)),
    literal('LOWERCASE', 'Lowercase of single code points, without context.', encodeMapping(tables.lowercase)),
  ].join('\n');
}

async function main(): Promise<void> {
  const text = formatTables(await deriveTables());
  if (process.argv.includes('--check')) {
    if (readFileSync(OUTPUT, 'utf8') !== text)
      throw new Error(`${OUTPUT} differs from what the reference says: run this script without --check`);
    console.log('unicode-tables.ts is what the reference says');
    return;
  }
  writeFileSync(OUTPUT, text);
  console.log(`wrote ${OUTPUT} (${text.length} bytes)`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await main();
