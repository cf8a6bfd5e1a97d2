const LAST_IGNORABLE = /^\p{Case_Ignorable}$/u;
const IGNORABLES = /\p{Case_Ignorable}*/uy;
const CASED = /^\p{Cased}$/u;
const CAPITAL_SIGMA = '\u03a3';
/** The one character whose lower case is longer: two units for one. */
const DOTTED_I = '\u0130';

/**
 * `String.prototype.toLowerCase` of a text that comes in pieces. Of all characters only the capital sigma depends on its surroundings: it
 * becomes "ς" behind a cased letter unless another one follows, where characters such as apostrophes and marks do not count. What lies
 * behind a piece is remembered, and what lies ahead is asked for.
 */
export class LowerCaser {
  #isAfterCased = false;

  /** The next piece in lower case; `isBeforeCased` tells about the text after it. A piece ends between characters. */
  next(piece: string, isBeforeCased: boolean): string {
    // A letter, or a space, on either side stands for all that the surroundings say.
    const lowered = `${this.#isAfterCased ? 'a' : ' '}${piece}${isBeforeCased ? 'a' : ' '}`.toLowerCase().slice(1, -1);
    const last = lastCharacter(piece);
    if (last !== undefined) this.#isAfterCased = CASED.test(last);
    return lowered;
  }
}

/** Whether what follows a piece decides about its lower case: only characters that do not count follow its last capital sigma. */
export function dependsOnNext(piece: string): boolean {
  const sigma = piece.lastIndexOf(CAPITAL_SIGMA);
  return sigma >= 0 && ignorablesEnd(piece, sigma + 1) === piece.length;
}

/** Whether the first character of a piece that counts is a cased letter; undefined where none counts. */
export function startsCased(piece: string): boolean | undefined {
  const end = ignorablesEnd(piece, 0);
  return end === piece.length ? undefined : CASED.test(String.fromCodePoint(piece.codePointAt(end) as number));
}

/** Calls `visit` with the index, in the lower case of `piece`, of every unit that has none of its own in `piece`. */
export function forEachAddedUnit(piece: string, visit: (index: number) => void): void {
  let added = 0;
  for (let i = piece.indexOf(DOTTED_I); i >= 0; i = piece.indexOf(DOTTED_I, i + 1)) visit(i + ++added);
}

function ignorablesEnd(text: string, from: number): number {
  IGNORABLES.lastIndex = from;
  IGNORABLES.test(text);
  return IGNORABLES.lastIndex;
}

/** The last character that counts. */
function lastCharacter(piece: string): string | undefined {
  for (let i = piece.length; i > 0;) {
    const isPair = i > 1 && (piece.charCodeAt(i - 1) & 0xfc00) === 0xdc00 && (piece.charCodeAt(i - 2) & 0xfc00) === 0xd800;
    const start = i - (isPair ? 2 : 1);
    const character = piece.slice(start, i);
    if (!LAST_IGNORABLE.test(character)) return character;
    i = start;
  }
  return undefined;
}
