import { scalarAt, unitLength } from '../../unicode/scalar.js';
import { wordCharacters } from '../../unicode/characters.js';

/** A token that is matched in the text itself, before WordPiece sees it. */
export interface AddedToken {
  readonly id: number;
  readonly content: string;
  /** Matches only where neither neighbour is a word character. */
  readonly singleWord: boolean;
  /** Takes the white space on its left, or right, with it. */
  readonly lstrip: boolean;
  readonly rstrip: boolean;
  /** Matches in normalized text, in its normalized form. */
  readonly normalized: boolean;
  /** Left out by `decode` with skipSpecialTokens, and ordinary text with splitSpecialTokens. */
  readonly special: boolean;
  /** Named by tokenizer_config.json or special_tokens_map.json alone: the model need not have a row for it. */
  readonly isNamedOnly?: boolean;
  /** A code that names the language to translate into. */
  readonly isLanguageCode?: boolean;
}

/** What an added token has besides its text and its id. */
export type AddedTokenFlags = Omit<AddedToken, 'id' | 'content' | 'isNamedOnly' | 'isLanguageCode'>;

/** The id of a code such as `>>de<<`. */
export type LanguageCodes = (code: string) => number;

/** Units of the longest code that is looked for. */
const MOST_CODE_UNITS = 256;

interface TrieNode {
  readonly children: Map<number, TrieNode>;
  token?: AddedToken;
}

/** The added tokens of a tokenizer by the text that they are found as. Of those that begin at one place the longest is found. */
export class AddedTokenMatcher {
  /** The units that a match can begin with. */
  readonly firstUnits: ReadonlySet<number>;
  /** Units of the longest text. */
  readonly longest: number;
  /** Whether there is a token that takes the white space on its left. */
  readonly stripsLeft: boolean;
  /** Whether there is one that takes the white space on either side. */
  readonly strips: boolean;
  readonly #root: TrieNode = { children: new Map() };
  readonly #languageCodes: LanguageCodes | undefined;

  /** `patterns` maps the text to look for to its token. With `languageCodes`, text that begins with `>>`, anything and `<<` begins with a code. */
  constructor(patterns: ReadonlyMap<string, AddedToken>, languageCodes?: LanguageCodes) {
    this.#languageCodes = languageCodes;
    for (const [pattern, token] of patterns) {
      let node = this.#root;
      for (let k = 0; k < pattern.length; k++) {
        const unit = pattern.charCodeAt(k);
        let child = node.children.get(unit);
        if (child === undefined) node.children.set(unit, (child = { children: new Map() }));
        node = child;
      }
      node.token = token;
    }
    this.firstUnits = new Set([...this.#root.children.keys(), ...(languageCodes === undefined ? [] : [0x3e])]);
    const least = languageCodes === undefined ? 0 : MOST_CODE_UNITS;
    this.longest = [...patterns.keys()].reduce((longest, { length }) => Math.max(longest, length), least);
    this.stripsLeft = [...patterns.values()].some(({ lstrip }) => lstrip);
    this.strips = [...patterns.values()].some(({ lstrip, rstrip }) => lstrip || rstrip);
  }

  /** The longest token at `index`, before any of its conditions are looked at. */
  longestAt(text: string, index: number): { readonly token: AddedToken; readonly end: number } | undefined {
    let node: TrieNode | undefined = this.#root;
    let found: { token: AddedToken; end: number } | undefined;
    for (let i = index; node !== undefined; i++) {
      if (node.token !== undefined) found = { token: node.token, end: i };
      node = node.children.get(i < text.length ? text.charCodeAt(i) : -1);
    }
    return found;
  }

  /** The language code at `index`, where text begins; no added token may begin in it. */
  languageCodeAt(text: string, index: number): { readonly token: AddedToken; readonly end: number } | undefined {
    if (this.#languageCodes === undefined || !text.startsWith('>>', index)) return undefined;
    const length = text.slice(index, index + MOST_CODE_UNITS).indexOf('<<', 2) + 2;
    if (length < 4) return undefined;
    for (let k = index; k < index + length; k++) if (this.longestAt(text, k) !== undefined) return undefined;
    const content = text.slice(index, index + length);
    const flags = { singleWord: false, lstrip: false, rstrip: false, normalized: false, special: false, isLanguageCode: true };
    return { token: { id: this.#languageCodes(content), content, ...flags }, end: index + length };
  }
}

/** Whether a token of `singleWord` may stand at text[start..end). */
export function standsAlone(text: string, start: number, end: number): boolean {
  return !isWordCharacterBefore(text, start) && !(end < text.length && wordCharacters.has(scalarAt(text, end)));
}

function isWordCharacterBefore(text: string, index: number): boolean {
  if (index === 0) return false;
  const previous = scalarAt(text, index - 1);
  const start = index - 2;
  const isPair = start >= 0 && (text.charCodeAt(index - 1) & 0xfc00) === 0xdc00 && unitLength(scalarAt(text, start)) === 2;
  return wordCharacters.has(isPair ? scalarAt(text, start) : previous);
}
