import { PieceColumns } from '../../unigram/piece-columns.js';
import { PieceTable } from '../../unigram/piece-table.js';
import { JsonNumberReader } from './json-number.js';
import { addPiece } from './piece-list.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const LOWER_U = 0x75;
/** Characters of a file by its pieces: rather too many, so that nothing is grown. */
const CHARACTERS_PER_PIECE = 24;

/**
 * Reads `["piece", score], …]` from `start` on without building a quarter of a million arrays; the pieces, and where their list ends.
 * Undefined for what is no such list of JSON. Errors: TOKENIZER.
 */
export function scanPieces(text: string, start: number): { pieces: PieceTable; end: number } | undefined {
  const columns = new PieceColumns(Math.ceil((text.length - start) / CHARACTERS_PER_PIECE));
  const strings = new StringReader(text, columns);
  const numbers = new JsonNumberReader(text);
  for (let at = afterSpace(text, start); ; at = afterSpace(text, at + 1)) {
    if (text.charCodeAt(at) !== OPENING_BRACKET) return undefined;
    at = strings.read(afterSpace(text, at + 1));
    if (at < 0) return undefined;
    at = afterSpace(text, at);
    if (text.charCodeAt(at) !== COMMA) return undefined;
    at = afterSpace(text, at + 1);
    const score = numbers.read(at);
    if (Number.isNaN(score)) return undefined;
    at = afterSpace(text, numbers.end);
    if (text.charCodeAt(at) !== CLOSING_BRACKET) return undefined;
    addPiece(columns, strings.end, score, strings.hasSurrogates);
    at = afterSpace(text, at + 1);
    if (text.charCodeAt(at) === CLOSING_BRACKET) return { pieces: new PieceTable(columns), end: at + 1 };
    if (text.charCodeAt(at) !== COMMA) return undefined;
  }
}

/** Reads strings of JSON as the units of the next piece. */
class StringReader {
  /** Where the piece ends among the units. */
  end = 0;
  hasSurrogates = false;
  readonly #text: string;
  readonly #columns: PieceColumns;

  constructor(text: string, columns: PieceColumns) {
    this.#text = text;
    this.#columns = columns;
  }

  /** Reads the string at `from`; returns where it ends, or -1 for what is none. */
  read(from: number): number {
    const text = this.#text;
    if (text.charCodeAt(from) !== QUOTE) return -1;
    let { units } = this.#columns;
    let { end } = this;
    let surrogates = 0;
    for (let at = from + 1; at < text.length; at++) {
      let unit = text.charCodeAt(at);
      if (unit === QUOTE) {
        this.end = end;
        this.hasSurrogates = surrogates !== 0;
        return at + 1;
      }
      if (unit < 0x20) return -1;
      if (unit === BACKSLASH) {
        const size = text.charCodeAt(at + 1) === LOWER_U ? 6 : 2;
        const escaped = unescape(text.slice(at, at + size));
        if (escaped === undefined) return -1;
        unit = escaped;
        at += size - 1;
      }
      surrogates |= (unit & 0xf800) === 0xd800 ? 1 : 0;
      if (end === units.length) units = this.#columns.growUnits(end);
      units[end++] = unit;
    }
    return -1;
  }
}

function unescape(escape: string): number | undefined {
  if (!/^\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})$/.test(escape)) return undefined;
  return (JSON.parse(`"${escape}"`) as string).charCodeAt(0);
}

/** Where the white space of JSON ends that begins at `at`. */
export function afterSpace(text: string, at: number): number {
  let end = at;
  for (let unit = text.charCodeAt(end); unit === 0x20 || unit === 0x0a || unit === 0x0d || unit === 0x09; unit = text.charCodeAt(end))
    end++;
  return end;
}
