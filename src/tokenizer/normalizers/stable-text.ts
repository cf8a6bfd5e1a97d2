import { scalarAt } from '../unicode/scalar.js';
import { combiningRank, composesWithBefore, decompose } from '../unicode/normal-forms.js';
import type { NormalizerStep } from './steps.js';

/** What a unit may be that text is searched for before it is read as it is; bits of a table. */
export const Search = {
  /** Begins an added token. */
  Token: 1,
  /** Is, or is half of, a character that normalizing may change. */
  Unstable: 2,
} as const;

/** Whether text that holds no unstable characters, as `isStableAt` tells, is what these normalizers make of it: there are none, or NFC alone. */
export function keepsStableText(steps: readonly NormalizerStep[]): boolean {
  return steps.length === 0 || (steps.length === 1 && steps[0]?.type === 'NFC');
}

/** [65536]: `Search` for each UTF-16 unit; `triggers` begin added tokens. */
export function searchTable(steps: readonly NormalizerStep[], triggers: Iterable<number>): Uint8Array {
  const table = new Uint8Array(0x10000);
  for (const unit of triggers) table[unit] = Search.Token;
  if (steps.length === 0) return table;
  for (let unit = 0xc0; unit < 0x10000; unit++) {
    const isSurrogate = (unit & 0xf800) === 0xd800;
    if (isSurrogate || combiningRank(unit) !== 0 || mayChange(unit)) table[unit] = (table[unit] as number) | Search.Unstable;
  }
  return table;
}

/** Whether the character of which a unit is at `index` stays what it is in NFC, whatever follows (Unicode's quick check, UAX 15). */
export function isStableAt(text: string, index: number): boolean {
  if ((text.charCodeAt(index) & 0xfc00) === 0xdc00 && index > 0 && (text.charCodeAt(index - 1) & 0xfc00) === 0xd800) return true;
  const codePoint = scalarAt(text, index);
  if (mayChange(codePoint)) return false;
  const rank = combiningRank(codePoint);
  if (rank === 0) return true;
  if (index === 0) return false;
  const isPair = index > 1 && (text.charCodeAt(index - 1) & 0xfc00) === 0xdc00;
  return combiningRank(scalarAt(text, isPair ? index - 2 : index - 1)) <= rank;
}

/** Whether a character is another one in NFC, or becomes one with what precedes it. */
function mayChange(codePoint: number): boolean {
  if (codePoint < 0xc0) return false;
  if (composesWithBefore(codePoint)) return true;
  if (decompose(codePoint) === undefined) return false;
  const character = String.fromCodePoint(codePoint);
  return character.normalize('NFC') !== character;
}
