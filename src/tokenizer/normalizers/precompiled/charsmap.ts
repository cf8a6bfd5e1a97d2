import { utf8Byte, utf8Length } from '../../unicode/utf8.js';

const HAS_VALUE = 1 << 8;
const VALUE_FLAG = 1 << 31;
const VALUE_MASK = 0x7fffffff;
const LABEL_MASK = VALUE_FLAG | 0xff;
const NOT_ASKED = -2;
const NO_VALUE = -1;

/**
 * The character map of a Precompiled normalizer, as SentencePiece writes it: u32 little-endian bytes of a Darts double array, the array, and
 * NUL-terminated UTF-8 strings, which values of the array point into.
 */
export class Charsmap {
  readonly #units: Int32Array;
  readonly #strings: Uint8Array;
  /** Code points by where their string begins; made when first asked for. */
  readonly #replacements = new Map<number, readonly number[]>();
  /** [128]: the value of an ASCII character. */
  readonly #ascii = new Int32Array(0x80).fill(NOT_ASKED);

  /** Throws what `faultOf` makes of a description for a map that is cut off or points outside of itself. */
  constructor(bytes: Uint8Array, faultOf: (description: string) => Error) {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const trieBytes = bytes.byteLength < 4 ? 0 : view.getUint32(0, true);
    if (trieBytes < 4 || trieBytes % 4 !== 0 || trieBytes > bytes.byteLength - 4)
      throw faultOf(`a trie of ${trieBytes} bytes in a map of ${bytes.byteLength}`);
    this.#units = new Int32Array(trieBytes / 4);
    for (let i = 0; i < this.#units.length; i++) this.#units[i] = view.getInt32(4 + 4 * i, true);
    this.#strings = bytes.subarray(4 + trieBytes);
    const fault = this.#findFault();
    if (fault !== undefined) throw faultOf(fault);
  }

  /**
   * What stands in place of codePoints[from..to): the string of the shortest key that its UTF-8 bytes begin with. Undefined if there is none.
   */
  find(codePoints: Int32Array, from: number, to: number): readonly number[] | undefined {
    const first = codePoints[from] as number;
    let value: number;
    if (first < 0x80 && to === from + 1) {
      value = this.#ascii[first] as number;
      if (value === NOT_ASKED) value = this.#ascii[first] = this.#search(codePoints, from, to);
    } else value = this.#search(codePoints, from, to);
    return value === NO_VALUE ? undefined : (this.#replacements.get(value) ?? this.#decode(value));
  }

  /** Where a walk along the keys begins. */
  get root(): number {
    return offsetOf(this.#units[0] as number) * 2;
  }

  /** Where a walk stands behind the bytes of one more character; -1 where no key goes on so. */
  step(place: number, codePoint: number): number {
    const units = this.#units;
    const size = utf8Length(codePoint);
    let node = Math.floor(place / 2);
    let unit = 0;
    for (let index = 0; index < size; index++) {
      const byte = utf8Byte(codePoint, size, index);
      node ^= byte;
      unit = units[node] ?? 0;
      if (byte === 0 || (unit & LABEL_MASK) !== byte) return -1;
      node ^= offsetOf(unit);
    }
    return node * 2 + ((unit & HAS_VALUE) === 0 ? 0 : 1);
  }

  /** What stands in place of the key that ends where a walk stands; undefined if none does. */
  replacementAt(place: number): readonly number[] | undefined {
    if (place % 2 === 0) return undefined;
    const value = (this.#units[Math.floor(place / 2)] as number) & VALUE_MASK;
    return this.#replacements.get(value) ?? this.#decode(value);
  }

  #search(codePoints: Int32Array, from: number, to: number): number {
    const units = this.#units;
    let node = offsetOf(units[0] as number);
    for (let k = from; k < to; k++) {
      const c = codePoints[k] as number;
      let shift = c < 0x80 ? 0 : c < 0x800 ? 6 : c < 0x10000 ? 12 : 18;
      let byte = shift === 0 ? c : (c >> shift) | (shift === 6 ? 0xc0 : shift === 12 ? 0xe0 : 0xf0);
      for (;;) {
        // A byte of 0 ends keys: no text with U+0000 is one.
        if (byte === 0) return NO_VALUE;
        node ^= byte;
        const unit = units[node];
        if (unit === undefined || (unit & LABEL_MASK) !== byte) return NO_VALUE;
        node ^= offsetOf(unit);
        if ((unit & HAS_VALUE) !== 0) return (units[node] as number) & VALUE_MASK;
        if (shift === 0) break;
        shift -= 6;
        byte = 0x80 | ((c >> shift) & 0x3f);
      }
    }
    return NO_VALUE;
  }

  #decode(value: number): readonly number[] {
    const end = this.#strings.indexOf(0, value);
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(
      this.#strings.subarray(value, end < 0 ? undefined : end),
    );
    const codePoints = Array.from(text, (character) => character.codePointAt(0) as number);
    this.#replacements.set(value, codePoints);
    return codePoints;
  }

  /** Walks all keys, each shared end of them once: what is wrong with where they lead. */
  #findFault(): string | undefined {
    const units = this.#units;
    const strings = this.#strings;
    try {
      new TextDecoder('utf-8', { fatal: true }).decode(strings);
    } catch {
      return 'strings that are not UTF-8';
    }
    // The units that a base leads to lie in its block of 256: they are chained.
    const heads = new Int32Array((units.length | 0xff) + 1).fill(-1);
    const next = new Int32Array(units.length);
    for (let i = 1; i < units.length; i++) {
      const label = (units[i] as number) & LABEL_MASK;
      if (label <= 0) continue;
      next[i] = heads[i ^ label] as number;
      heads[i ^ label] = i;
    }
    const isMet = new Uint8Array(units.length);
    const open = [0];
    for (let node; (node = open.pop()) !== undefined;) {
      if (isMet[node] === 1) continue;
      isMet[node] = 1;
      const unit = units[node] as number;
      const base = node ^ offsetOf(unit);
      if ((unit & HAS_VALUE) !== 0) {
        const value = units[base];
        if (value === undefined || value >= 0) return `a key that ends at unit ${node}, without its value`;
        const at = value & VALUE_MASK;
        if (at >= strings.length) return `a string at byte ${at} of ${strings.length}`;
        if (((strings[at] as number) & 0xc0) === 0x80) return `a string at byte ${at}, within a character`;
      }
      for (let child = heads[base] ?? -1; child >= 0; child = next[child] as number) open.push(child);
    }
    return undefined;
  }
}

function offsetOf(unit: number): number {
  return (unit >>> 10) << ((unit & 0x200) >>> 6);
}
