import { CodePointSet } from '../unicode/code-point-set.js';

const removed = CodePointSet.ofRanges([
  [0x01, 0x09],
  [0x0b, 0x0c],
  [0x0e, 0x20],
  [0x7f, 0x80],
  [0x8f, 0x90],
  [0x9f, 0xa0],
]);
const spaces = CodePointSet.ofRanges([
  [0x09, 0x0b],
  [0x0c, 0x0e],
  [0x1680, 0x1681],
  [0x200b, 0x2010],
  [0x2028, 0x202a],
  [0x2581, 0x2582],
  [0xfeff, 0xff00],
  [0xfffd, 0xfffe],
]);

/** What the normalizer Nmt makes of a character: nothing of some controls, U+0020 of other white space and of what joins or marks. */
export function nmt(codePoint: number): number | undefined {
  if (codePoint >= 0x20 && codePoint < 0x7f) return codePoint;
  if (removed.has(codePoint)) return undefined;
  return spaces.has(codePoint) ? 0x20 : codePoint;
}
