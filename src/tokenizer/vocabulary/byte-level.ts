/** [256]: the characters that byte-level tokens are spelled with: a byte that is a printable character of Latin-1 is itself, the others follow from U+0100. */
export const charactersOfBytes: Uint16Array = makeCharacters();

const bytesOfCharacters = new Map(Array.from(charactersOfBytes, (character, byte) => [character, byte]));

function makeCharacters(): Uint16Array {
  const characters = new Uint16Array(256);
  let next = 0x100;
  for (let byte = 0; byte < 256; byte++) {
    const isPrintable = (byte > 0x20 && byte < 0x7f) || (byte > 0xa0 && byte !== 0xad);
    characters[byte] = isPrintable ? byte : next++;
  }
  return characters;
}

/** The byte that a character of a byte-level token stands for; undefined for another character. */
export function byteOf(character: number): number | undefined {
  return bytesOfCharacters.get(character);
}
