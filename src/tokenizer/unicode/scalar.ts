/** The code point at `index`; a surrogate without its partner reads as U+FFFD, as it would after a conversion to UTF-8. */
export function scalarAt(text: string, index: number): number {
  const codePoint = text.codePointAt(index) as number;
  return (codePoint & ~0x7ff) === 0xd800 ? 0xfffd : codePoint;
}

/** UTF-16 units of a character. */
export function unitLength(codePoint: number): number {
  return codePoint > 0xffff ? 2 : 1;
}
