const LEADING_BITS = [0, 0, 0xc0, 0xe0, 0xf0];

/** How many bytes a character has in UTF-8. */
export function utf8Length(codePoint: number): number {
  return codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
}

/** Byte `index` of the `size` that a character has in UTF-8. */
export function utf8Byte(codePoint: number, size: number, index: number): number {
  if (size === 1) return codePoint;
  const bits = codePoint >> (6 * (size - 1 - index));
  return index === 0 ? (LEADING_BITS[size] as number) | bits : 0x80 | (bits & 0x3f);
}
