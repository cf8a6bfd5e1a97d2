import type { Encoding, Tokenizer } from 'bertha-encoder';

/** A token as text-embeddings-inference tells it: where it stands counts bytes of UTF-8. */
export interface TokenPlace {
  readonly id: number;
  readonly text: string;
  readonly special: boolean;
  readonly start: number | null;
  readonly stop: number | null;
}

/** The tokens of a text, in which special ones may be ordinary text. A special token's text is its own, and it stands nowhere. */
export function tokenPlaces(tokenizer: Tokenizer, text: string, addSpecialTokens: boolean, splitSpecialTokens: boolean): TokenPlace[] {
  const encoding = tokenizer.encode(text, { addSpecialTokens, splitSpecialTokens, offsets: true, truncation: false });
  const bytesAt = byteCounter(text);
  return Array.from(encoding.ids, (id, i) => placeOf(encoding, text, bytesAt, id, i));
}

function placeOf(encoding: Encoding, text: string, bytesAt: (unit: number) => number, id: number, index: number): TokenPlace {
  const special = encoding.specialTokensMask[index] === 1;
  if (special) return { id, text: encoding.tokens[index]!, special, start: null, stop: null };
  const [begin, end] = [encoding.offsets![2 * index]!, encoding.offsets![2 * index + 1]!];
  return { id, text: text.slice(begin, end), special, start: bytesAt(begin), stop: bytesAt(end) };
}

/** Bytes of UTF-8 before a UTF-16 unit, asked for units in rising order as a rule: each step counts only what is new. */
function byteCounter(text: string): (unit: number) => number {
  let [unit, bytes] = [0, 0];
  return (wanted) => {
    if (wanted < unit) [unit, bytes] = [0, 0];
    bytes += Buffer.byteLength(text.slice(unit, wanted));
    unit = wanted;
    return bytes;
  };
}
