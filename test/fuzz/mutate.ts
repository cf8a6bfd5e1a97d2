import type { Random } from '../support/random.js';

/** What breaks readers of JSON and of numbers. */
const kHostile = [
  '-1',
  '-0',
  '1e999',
  '1.5',
  '18446744073709551615',
  '9007199254740993',
  '4294967296',
  '2147483648',
  '0',
  'null',
  'true',
  'NaN',
  '[]',
  '{}',
  '[[[[[[[[',
  '{"a":',
  '""',
  '"__proto__"',
  '"constructor"',
  '"\\ud800"',
  '"\\u0000"',
  '\ufeff',
  '\u0000',
  '"',
  '\\',
  ',',
  ':',
  '}',
  ']',
  '/*',
  '🚀',
  'ﬁ',
].map((text) => Buffer.from(text));

/** A changed copy of a seed: bits flipped, bytes put in, taken out, doubled or swapped, numbers and words replaced, the end cut off. */
export function mutate(seed: Buffer, seeds: readonly Buffer[], random: Random): Buffer {
  let bytes: Buffer = Buffer.from(seed);
  const times = 1 + Math.floor(random.next() ** 3 * 8);
  for (let i = 0; i < times; i++) bytes = change(bytes, seeds, random);
  return bytes;
}

function change(bytes: Buffer, seeds: readonly Buffer[], random: Random): Buffer {
  const at = random.integer(0, bytes.length);
  const end = Math.min(bytes.length, at + Math.floor(random.next() ** 2 * 40));
  switch (random.integer(0, 8)) {
    case 0: {
      if (at < bytes.length) bytes[at]! ^= 1 << random.integer(0, 7);
      return bytes;
    }
    case 1: {
      if (at < bytes.length) bytes[at] = random.integer(0, 255);
      return bytes;
    }
    case 2:
      return join(bytes.subarray(0, at), random.pick(kHostile), bytes.subarray(at));
    case 3:
      return join(bytes.subarray(0, at), bytes.subarray(end));
    case 4:
      return join(bytes.subarray(0, end), bytes.subarray(at));
    case 5:
      return bytes.subarray(0, at);
    case 6: {
      const other = random.pick(seeds);
      const from = random.integer(0, other.length);
      return join(bytes.subarray(0, at), other.subarray(from, from + random.integer(0, 60)), bytes.subarray(end));
    }
    default:
      return replaceToken(bytes, at, random);
  }
}

/** Replaces the next number, word or string after a position: the text stays JSON more often than not. */
function replaceToken(bytes: Buffer, at: number, random: Random): Buffer {
  const text = bytes.toString('latin1');
  const token = /"[^"]{0,40}"|-?\d+(?:\.\d+)?|true|false|null/g;
  token.lastIndex = at;
  const found = token.exec(text);
  if (found === null) return bytes;
  return join(bytes.subarray(0, found.index), random.pick(kHostile), bytes.subarray(found.index + found[0].length));
}

function join(...parts: readonly Buffer[]): Buffer {
  return Buffer.concat(parts);
}
