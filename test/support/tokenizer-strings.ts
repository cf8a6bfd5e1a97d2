import { lowercase, nonspacingMarks } from '../../src/tokenizer/unicode/characters.js';
import { combiningRank, decompositions, reorderedMarks } from '../../src/tokenizer/unicode/normal-forms.js';
import { isFull } from './full.js';

/** A small seeded generator (xorshift32): the same strings on every machine. */
export class Random {
  #state: number;

  constructor(seed: number) {
    this.#state = seed | 0 || 1;
  }

  /** A whole number in [0, below). */
  below(below: number): number {
    let x = this.#state;
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    this.#state = x;
    return (x >>> 0) % below;
  }

  pick<T>(items: readonly T[]): T {
    return items[this.below(items.length)] as T;
  }
}

const range = (start: number, end: number): number[] => Array.from({ length: end - start }, (_, i) => start + i);
const marks: number[] = [];
nonspacingMarks.forEachRange((start, end) => marks.push(...range(start, end)));

/** Kinds of characters that go wrong in different ways. */
const kinds: readonly (readonly number[])[] = [
  range(0x61, 0x7b),
  range(0x41, 0x5b),
  range(0x20, 0x7f),
  range(0xa0, 0x180),
  [0x20, 0x20, 0x20, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x85, 0xa0, 0x1680, 0x2003, 0x2028, 0x3000],
  [0, 0x1f, 0x7f, 0xad, 0x200b, 0x200d, 0x2060, 0xfeff, 0xfffd, 0xe000, 0xe0041, 0xd800, 0xdc00, 0x378],
  marks,
  marks.filter((c) => combiningRank(c) > 0),
  [...reorderedMarks],
  [...reorderedMarks],
  [...decompositions.keys()],
  [...lowercase.keys()],
  range(0xac00, 0xac40),
  range(0x4e00, 0x4e40),
  [...range(0xf900, 0xf910), 0x2b820, 0x2b920, 0x20000, 0x2f800, 0x2fa1d, 0xfa6c],
  [...range(0x1f600, 0x1f610), 0x1f468, 0x200d, 0x1f469, 0xfe0f, 0x1d15e, 0x1d160, 0x11099, 0x1109b],
  range(0x900, 0x980),
  range(0x600, 0x6ff),
  [0x3a3, 0x3c3, 0x3c2, 0x130, 0x131, 0xdf, 0x1e9e, 0xfb01, 0x212a, 0x37e, 0x1fef, 0x387, 0x2260, 0x226e],
];

/** Kinds of characters that normalization forms change, and those that they put together or keep apart. */
export const formKinds: readonly (readonly number[])[] = [
  ...kinds,
  [0xfdfa, 0xfdfb, 0xfdf2, 0xfc5e, 0xfcf2, 0xfe71, 0xfe70, 0x3300, 0x33ff, 0x32ff, 0x2474, 0x1f100, 0x1f250, 0xbd, 0xa8, 0xb4, 0x1fbd],
  [...range(0xff01, 0xff60), ...range(0xff65, 0xffa0)],
  [...range(0x2100, 0x2150), ...range(0x2460, 0x24f0), ...range(0x1d400, 0x1d420), ...range(0xfb00, 0xfb50)],
  [...range(0x1100, 0x1113), ...range(0x1161, 0x1176), ...range(0x11a7, 0x11c3)],
  [...range(0x1161, 0x1176), 0xac00, 0xac01, 0xac1c, 0xd7a3, ...range(0x11a8, 0x11c3)],
  [0x3131, 0x3200, 0x3260, 0xffa1, 0xffc2, 0xffda],
  [0x61, 0x65, 0x6f, 0x41, 0x3b1, 0x3b9, 0x304b, 0x3099, 0x309a, 0x9c7, 0x9be, 0x9d7, 0xb47, 0xb3e, 0xb56, 0x1100, 0x1025, 0x102e],
  [0x300, 0x301, 0x308, 0x30a, 0x316, 0x323, 0x327, 0x328, 0x345, 0x342, 0x313, 0x344, 0x340, 0x343, 0x374, 0x37e],
  [0xf73, 0xf75, 0xf81, 0xf71, 0xf72, 0xf74, 0xf43, 0xf78, 0x1d15e, 0x1d165, 0x1d16d, 0x1109a, 0x110ba, 0x1112e, 0x11131],
];

/** A string of up to `maxParts` parts: characters of all kinds in runs, and now and then one of `phrases`. */
export function randomText(random: Random, maxParts: number, phrases: readonly string[], from: typeof kinds = kinds): string {
  let text = '';
  for (let parts = random.below(maxParts) + 1; parts > 0; parts--) {
    const choice = random.below(10);
    if (choice < 2 && phrases.length > 0) text += random.pick(phrases);
    else if (choice < 4) text += ' ';
    else {
      const kind = random.pick(from);
      for (let length = 1 + random.below(4); length > 0; length--) text += String.fromCodePoint(random.pick(kind));
    }
  }
  return text;
}

/**
 * The first code points of blocks of 64 scalar values. With BERTHA_TEST_FULL=1 all; otherwise all of what is below Chinese and of the
 * planes 1 and 14, where characters differ, and of the others, where Unicode has Chinese, Hangul, private and unassigned characters, each eighth and the last.
 */
export function scalarBlocks(): number[] {
  const blocks = Array.from({ length: 0x110000 / 64 }, (_, i) => i * 64).filter((start) => start < 0xd800 || start >= 0xe000);
  if (isFull) return blocks;
  return blocks.filter(
    (start) =>
      start < 0x3400 || (start >= 0xf900 && start < 0x20000) || start >> 16 === 14 || start % 512 === 0 || (start & 0xffff) === 0xffc0,
  );
}
