import { PieceTable } from '../../unigram/piece-table.js';
import { JsonNumberReader } from './json-number.js';
import { addPiece } from './piece-list.js';

const QUOTE = 0x22;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const OPENING_BRACKET = 0x5b;
const CLOSING_BRACKET = 0x5d;
const LOWER_U = 0x75;
const FIRST_LENGTH = 256;
/** Characters of a file by its pieces: rather too many, so that nothing is grown. */
const CHARACTERS_PER_PIECE = 32;

/**
 * Reads `["piece", score], …]` from `start` on without building a quarter of a million arrays; the pieces, and where their list ends.
 * Undefined for what is no such list of JSON. Errors: TOKENIZER.
 */
export function scanPieces(text: string, start: number): { pieces: PieceTable; end: number } | undefined {
  const pieces = new PieceTable(Math.ceil((text.length - start) / CHARACTERS_PER_PIECE));
  const strings = new StringReader(text);
  const numbers = new JsonNumberReader(text);
  for (let at = afterSpace(text, start); ; at = afterSpace(text, at + 1)) {
    if (text.charCodeAt(at) !== OPENING_BRACKET) return undefined;
    at = afterSpace(text, at + 1);
    if (!strings.read(at)) return undefined;
    at = afterSpace(text, strings.end);
    if (text.charCodeAt(at) !== COMMA) return undefined;
    at = afterSpace(text, at + 1);
    const score = numbers.read(at);
    if (Number.isNaN(score)) return undefined;
    at = afterSpace(text, numbers.end);
    if (text.charCodeAt(at) !== CLOSING_BRACKET) return undefined;
    addPiece(pieces, strings.units, strings.length, score);
    at = afterSpace(text, at + 1);
    if (text.charCodeAt(at) === CLOSING_BRACKET) {
      pieces.finish();
      return { pieces, end: at + 1 };
    }
    if (text.charCodeAt(at) !== COMMA) return undefined;
  }
}

/** Reads strings of JSON as UTF-16 units. */
class StringReader {
  readonly #text: string;
  /** Where the string that was read ends. */
  end = 0;
  units = new Uint16Array(FIRST_LENGTH);
  length = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** Reads the string at `from`; false for what is none. */
  read(from: number): boolean {
    const text = this.#text;
    if (text.charCodeAt(from) !== QUOTE) return false;
    let { units } = this;
    let length = 0;
    for (let at = from + 1; at < text.length; at++) {
      let unit = text.charCodeAt(at);
      if (unit === QUOTE) {
        this.length = length;
        this.end = at + 1;
        return true;
      }
      if (unit < 0x20) return false;
      if (unit === BACKSLASH) {
        const size = text.charCodeAt(at + 1) === LOWER_U ? 6 : 2;
        const escaped = unescape(text.slice(at, at + size));
        if (escaped === undefined) return false;
        unit = escaped;
        at += size - 1;
      }
      if (length === units.length) units = this.#grow();
      units[length++] = unit;
    }
    return false;
  }

  #grow(): Uint16Array<ArrayBuffer> {
    const units = new Uint16Array(2 * this.units.length);
    units.set(this.units);
    return (this.units = units);
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
