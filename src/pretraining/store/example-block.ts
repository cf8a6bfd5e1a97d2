import type { TokenArena } from '../corpus/token-arena.js';
import type { DrawnExample } from '../examples/draw-examples.js';

/** An example as tokens. */
export interface PretrainingExample {
  /** [tokens]: of A, then of B. */
  readonly ids: Uint16Array | Int32Array;
  /** [tokens]: 1 where no character lies between a token and the one before it. */
  readonly isJoined: Uint8Array;
  /** Tokens of A. */
  readonly aLength: number;
  /** 0 where B follows A; 1 where it is from another document, or they are swapped. */
  readonly label: 0 | 1;
}

/** Examples that are written and read at once. */
export const kExamplesPerBlock = 256;

// A block, in the machine's byte order:
//   uint32 [examples, 2]: tokens of A · 2 + label, tokens of B
//   ids [tokens], two bytes each for vocabularies up to 65,536, otherwise four
//   uint8 [tokens]: isJoined
const kFieldBytes = 8;

/** Bytes of an id. */
export function idBytes(vocabSize: number): 2 | 4 {
  return vocabSize <= 1 << 16 ? 2 : 4;
}

/** Writes down drawn examples. Also says how many tokens they have. */
export function encodeBlock(
  examples: readonly DrawnExample[],
  tokens: TokenArena,
  vocabSize: number,
): { readonly bytes: Uint8Array; readonly tokens: number } {
  const spans = examples.map(({ a, b }) => (b === undefined ? [a] : [a, b]));
  const count = spans.flat().reduce((sum, { begin, end }) => sum + end - begin, 0);
  const idsAt = kFieldBytes * examples.length;
  const joinedAt = idsAt + count * idBytes(vocabSize);
  const buffer = new ArrayBuffer(joinedAt + count);
  const fields = new Uint32Array(buffer, 0, 2 * examples.length);
  const ids = idsOf(buffer, idsAt, count, vocabSize);
  const isJoined = new Uint8Array(buffer, joinedAt, count);
  let at = 0;
  examples.forEach(({ a, b, label }, i) => {
    fields[2 * i] = 2 * (a.end - a.begin) + label;
    fields[2 * i + 1] = b === undefined ? 0 : b.end - b.begin;
    for (const { begin, end } of spans[i]!) {
      ids.set(tokens.ids(begin, end), at);
      isJoined.set(tokens.isJoined(begin, end), at);
      at += end - begin;
    }
  });
  return { bytes: new Uint8Array(buffer), tokens: count };
}

/** The examples of a block; they share its memory. */
export function decodeBlock(bytes: Uint8Array, examples: number, vocabSize: number): PretrainingExample[] {
  const { buffer, byteOffset } = bytes;
  const fields = new Uint32Array(buffer, byteOffset, 2 * examples);
  const idsAt = byteOffset + kFieldBytes * examples;
  const count = (bytes.byteLength - kFieldBytes * examples) / (idBytes(vocabSize) + 1);
  const ids = idsOf(buffer, idsAt, count, vocabSize);
  const isJoined = new Uint8Array(buffer, idsAt + count * idBytes(vocabSize), count);
  let at = 0;
  return Array.from({ length: examples }, (_, i) => {
    const first = fields[2 * i]!;
    const begin = at;
    at += (first >>> 1) + fields[2 * i + 1]!;
    return {
      ids: ids.subarray(begin, at),
      isJoined: isJoined.subarray(begin, at),
      aLength: first >>> 1,
      label: (first & 1) as 0 | 1,
    };
  });
}

function idsOf(buffer: ArrayBufferLike, offset: number, count: number, vocabSize: number): Uint16Array | Int32Array {
  return idBytes(vocabSize) === 2 ? new Uint16Array(buffer, offset, count) : new Int32Array(buffer, offset, count);
}
