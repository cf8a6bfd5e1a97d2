import type { JsonNode } from './json.js';
import type { ReplacePattern } from '../normalizers/replace.js';
import { digits, whitespace, wordCharacters } from '../unicode/characters.js';
import { CodePointSet, codePointsOf } from '../unicode/code-point-set.js';

/** A pattern of Split and Replace: a text, or characters of a set, `isRun` as many as follow one another. */
export type SimplePattern =
  { readonly literal: readonly number[] } | { readonly literal?: undefined; readonly set: CodePointSet; readonly isRun: boolean };

/** What `readPattern` takes, for messages. */
export const SUPPORTED_PATTERNS =
  'a text of at most 256 characters, or a Regex that is such a text or one of a character, \\s, \\d, \\w, \\S, \\D, \\W and [...] of these, with or without +';

const MOST_LITERAL = 256;

// The reference's expressions know other word characters than its pre-tokenizers: no joiners, and these, but not in brackets.
const wordInBrackets = CodePointSet.union([wordCharacters.complement(), set('\u200c\u200d')]).complement();
const word = CodePointSet.union([wordInBrackets, set('\u00b2\u00b3\u00b9\u00bc\u00bd\u00be')]);

type Classes = Readonly<Record<string, CodePointSet>>;
const CLASSES: Classes = {
  s: whitespace,
  S: whitespace.complement(),
  d: digits,
  D: digits.complement(),
  w: word,
  W: word.complement(),
};
const CLASSES_IN_BRACKETS: Classes = { ...CLASSES, w: wordInBrackets, W: wordInBrackets.complement() };

const CONTROLS: Readonly<Record<string, string>> = { t: '\t', n: '\n', r: '\r' };

/** Expressions of published files about runs of two and more characters, and what is replaced of one that stands alone. */
const RUNS: ReadonlyMap<unknown, ReplacePattern> = new Map([
  [' {2,}', { set: set(' '), isRun: true, alone: set('') }],
  ['\\s{2,}|[\\n\\r\\t]', { set: whitespace, isRun: true, alone: set('\n\r\t') }],
]);

/** Reads the `pattern` of a Replace. Errors: TOKENIZER, for what it cannot follow. */
export function readReplacePattern(node: JsonNode): ReplacePattern {
  return RUNS.get(node.child('pattern')?.get('Regex')) ?? readPattern(node);
}

/** Reads the `pattern` of a Split or Replace. Errors: TOKENIZER, for what it cannot follow. */
export function readPattern(node: JsonNode): SimplePattern {
  const pattern = node.child('pattern');
  if (pattern === undefined) throw node.wrong(SUPPORTED_PATTERNS, 'pattern', undefined);
  const isRegex = pattern.has('Regex');
  const text = pattern.string(isRegex ? 'Regex' : 'String', '');
  const found = isRegex ? parseRegex(text) : { literal: codePointsOf(text) };
  const length = found?.literal?.length ?? 1;
  if (found === undefined || length === 0 || length > MOST_LITERAL) throw node.wrong(SUPPORTED_PATTERNS, 'pattern', text);
  return found;
}

/** The set of a pattern that is about single characters; undefined for a longer text. */
export function patternSet(pattern: SimplePattern): { readonly set: CodePointSet; readonly isRun: boolean } | undefined {
  if (pattern.literal === undefined) return pattern;
  const [only] = pattern.literal;
  return only === undefined || pattern.literal.length > 1 ? undefined : { set: CodePointSet.ofRanges([[only, only + 1]]), isRun: false };
}

function set(characters: string): CodePointSet {
  return CodePointSet.ofRanges(codePointsOf(characters).map((c) => [c, c + 1] as const));
}

/** One thing of an expression: a character, or a set of them. */
type Item = { readonly codePoint: number } | { readonly codePoint?: undefined; readonly set: CodePointSet };

function parseRegex(source: string): SimplePattern | undefined {
  const characters = Array.from(source);
  const items: Item[] = [];
  let at = 0;
  while (at < characters.length) {
    if (characters[at] === '+' && at === characters.length - 1 && items.length === 1) {
      const [item] = items as [Item];
      return { set: item.codePoint === undefined ? item.set : itemSet(item), isRun: true };
    }
    const read = characters[at] === '[' ? readBracket(characters, at) : readItem(characters, at, '.*+?()[]{}|^$', CLASSES);
    if (read === undefined) return undefined;
    items.push(read.item);
    at = read.end;
  }
  const literal = items.flatMap(({ codePoint }) => codePoint ?? []);
  if (literal.length === items.length) return { literal };
  return items.length === 1 ? { set: itemSet(items[0] as Item), isRun: false } : undefined;
}

function itemSet(item: Item): CodePointSet {
  return item.codePoint === undefined ? item.set : CodePointSet.ofRanges([[item.codePoint, item.codePoint + 1]]);
}

/** A character that is none of `reserved`, or an escape. */
function readItem(characters: readonly string[], at: number, reserved: string, classes: Classes): { item: Item; end: number } | undefined {
  const character = characters[at] as string;
  if (character !== '\\')
    return reserved.includes(character) ? undefined : { item: { codePoint: character.codePointAt(0) as number }, end: at + 1 };
  const escaped = characters[at + 1];
  if (escaped === undefined) return undefined;
  const end = at + 2;
  if (Object.hasOwn(classes, escaped)) return { item: { set: classes[escaped] as CodePointSet }, end };
  const plain = CONTROLS[escaped] ?? (/[!-/:-@[-`{-~ ]/.test(escaped) ? escaped : undefined);
  return plain === undefined ? undefined : { item: { codePoint: plain.charCodeAt(0) }, end };
}

/** `[…]` or `[^…]` of characters, classes and ranges of characters. */
function readBracket(characters: readonly string[], from: number): { item: Item; end: number } | undefined {
  const isInverted = characters[from + 1] === '^';
  const sets: CodePointSet[] = [];
  let at = from + (isInverted ? 2 : 1);
  while (characters[at] !== ']') {
    if (at >= characters.length || (characters[at] === '&' && characters[at + 1] === '&')) return undefined;
    const first = readItem(characters, at, '[]^-', CLASSES_IN_BRACKETS);
    if (first === undefined) return undefined;
    at = first.end;
    if (characters[at] !== '-') {
      sets.push(itemSet(first.item));
      continue;
    }
    const last = at + 1 < characters.length ? readItem(characters, at + 1, '[]^-', CLASSES_IN_BRACKETS) : undefined;
    if (last?.item.codePoint === undefined || first.item.codePoint === undefined || last.item.codePoint < first.item.codePoint)
      return undefined;
    sets.push(CodePointSet.ofRanges([[first.item.codePoint, last.item.codePoint + 1]]));
    at = last.end;
  }
  if (sets.length === 0) return undefined;
  const [only] = sets;
  const all = sets.length === 1 ? (only as CodePointSet) : CodePointSet.union(sets);
  return { item: { set: isInverted ? all.complement() : all }, end: at + 1 };
}
