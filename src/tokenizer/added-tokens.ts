import { scalarAt, unitLength } from './normalizer.js';
import { whitespace, wordCharacters } from './unicode.js';

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
}

/** Where an added token was found: text[start..end), with the white space it takes; the search goes on at `resume`. */
export interface AddedTokenMatch {
  readonly token: AddedToken;
  readonly start: number;
  readonly end: number;
  readonly resume: number;
}

interface TrieNode {
  readonly children: Map<number, TrieNode>;
  token?: AddedToken;
}

/** Finds added tokens: leftmost, then longest, without overlap. */
export class AddedTokenMatcher {
  readonly #root: TrieNode = { children: new Map() };

  /** `patterns` maps the text to look for to its token. */
  constructor(patterns: ReadonlyMap<string, AddedToken>) {
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
  }

  /** The units that a match can begin with. */
  get firstUnits(): ReadonlySet<number> {
    return new Set(this.#root.children.keys());
  }

  /** The longest token at `index`, before any of its conditions are looked at. */
  #longestAt(text: string, index: number): { token: AddedToken; end: number } | undefined {
    let node: TrieNode | undefined = this.#root;
    let found: { token: AddedToken; end: number } | undefined;
    for (let i = index; node !== undefined; i++) {
      if (node.token !== undefined) found = { token: node.token, end: i };
      node = node.children.get(i < text.length ? text.charCodeAt(i) : -1);
    }
    return found;
  }

  /**
   * The match that begins at `index`, if there is one. `from` is where the match before ended with its white space. A match that its
   * conditions forbid still uses up its text: then only the number is returned where the search goes on.
   */
  matchAt(text: string, index: number, from: number, splitSpecialTokens: boolean): AddedTokenMatch | number | undefined {
    const found = this.#longestAt(text, index);
    if (found === undefined) return undefined;
    const { token, end } = found;
    if (splitSpecialTokens && token.special) return end;
    if (token.singleWord && (isWordCharacterBefore(text, index) || (end < text.length && wordCharacters.has(scalarAt(text, end)))))
      return end;
    let start = index;
    let stop = end;
    if (token.lstrip) {
      while (start > 0 && whitespace.has(text.charCodeAt(start - 1))) start--;
      start = Math.max(start, from);
    }
    if (token.rstrip) while (stop < text.length && whitespace.has(text.charCodeAt(stop))) stop++;
    return { token, start, end: stop, resume: end };
  }

  /** All matches in a text, in order. */
  matches(text: string, splitSpecialTokens: boolean): AddedTokenMatch[] {
    const matches: AddedTokenMatch[] = [];
    let from = 0;
    for (let i = 0; i < text.length;) {
      const match = this.matchAt(text, i, from, splitSpecialTokens);
      if (typeof match === 'object') {
        matches.push(match);
        from = match.end;
        i = match.resume;
      } else {
        i = match ?? i + 1;
      }
    }
    return matches;
  }
}

function isWordCharacterBefore(text: string, index: number): boolean {
  if (index === 0) return false;
  const previous = scalarAt(text, index - 1);
  const start = index - 2;
  const isPair = start >= 0 && (text.charCodeAt(index - 1) & 0xfc00) === 0xdc00 && unitLength(scalarAt(text, start)) === 2;
  return wordCharacters.has(isPair ? scalarAt(text, start) : previous);
}
