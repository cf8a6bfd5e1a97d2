import tokenizers from 'tokenizers';
import type { Encoding, Tokenizer } from '../../src/tokenizer/index.js';

export type Oracle = tokenizers.Tokenizer;

/** The reference implementation for a tokenizer.json, without its truncation and padding. */
export function makeOracle(tokenizerJson: string): Oracle {
  const json = JSON.parse(tokenizerJson) as Record<string, unknown>;
  return tokenizers.Tokenizer.fromString(JSON.stringify({ ...json, truncation: null, padding: null }));
}

/** [codePoints + 1]: where each code point begins in UTF-16 units. The reference counts code points. */
export function unitsOfCodePoints(text: string): number[] {
  const units: number[] = [];
  for (let i = 0; i < text.length; i += (text.codePointAt(i) as number) > 0xffff ? 2 : 1) units.push(i);
  units.push(text.length);
  return units;
}

/** Every difference in ids, offsets, word ids and type ids between ours and the reference for one text; '' if there is none. */
export function difference(text: string | [string, string], ours: Encoding, theirs: tokenizers.Encoding, withTypeIds = true): string {
  const ids = theirs.getIds();
  const show = (what: string, a: unknown, b: unknown) =>
    `${what} of ${JSON.stringify(text)}: expected ${JSON.stringify(a)} but received ${JSON.stringify(b)}`;
  if (!isEqual(ids, ours.ids)) return show('tokens', theirs.getTokens(), ours.tokens);
  const units = (typeof text === 'string' ? [text] : text).map(unitsOfCodePoints);
  const sequenceIds = theirs.getSequenceIds();
  const offsets = theirs
    .getOffsets()
    .flatMap((pair, i) => pair.map((offset) => (units[sequenceIds[i] ?? 0] as number[])[offset] as number));
  if (!isEqual(offsets, ours.offsets as Int32Array)) return show('offsets', offsets, Array.from(ours.offsets as Int32Array));
  if (withTypeIds && !isEqual(theirs.getTypeIds(), ours.typeIds)) return show('type ids', theirs.getTypeIds(), Array.from(ours.typeIds));
  const wordIds = theirs.getWordIds().map((id) => id ?? null);
  if (!isEqual(wordIds, ours.wordIds)) return show('word ids', wordIds, ours.wordIds);
  if (!isEqual(theirs.getSpecialTokensMask(), ours.specialTokensMask))
    return show('special tokens', theirs.getSpecialTokensMask(), ours.specialTokensMask);
  return '';
}

function isEqual(a: ArrayLike<unknown>, b: ArrayLike<unknown>): boolean {
  if (a.length !== b.length) return false;
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}

/** Compares all texts, and the ids-only way too; the differences found, at most ten. */
export async function compareWithOracle(tokenizer: Tokenizer, oracle: Oracle, texts: readonly string[]): Promise<string[]> {
  const differences: string[] = [];
  const batch = 256;
  for (let i = 0; i < texts.length && differences.length < 10; i += batch) {
    const some = texts.slice(i, i + batch);
    const expected = await oracle.encodeBatch(some);
    some.forEach((text, k) => {
      const ours = tokenizer.encode(text, { offsets: true });
      const found = difference(text, ours, expected[k] as tokenizers.Encoding);
      if (found !== '') differences.push(found);
      else if (!isEqual(ours.ids, tokenizer.encodeIds(text).ids))
        differences.push(`encodeIds of ${JSON.stringify(text)} differs from encode`);
    });
  }
  return differences;
}
