import type { AttentionBody, AttentionIndex } from '../data.js';
import { inflated } from './dom.js';
import { type Head, wholeHead } from './weights.js';

const kMagic = 'bertha-a';

/** All heads of a page, in a file of its reader's. Only what is looked at is read. */
export class AttentionFile {
  readonly #file: Blob;
  readonly #starts: readonly number[];
  readonly #index: AttentionIndex;
  readonly #heads = new Map<number, Promise<Head>>();

  private constructor(file: Blob, index: AttentionIndex, start: number) {
    this.#file = file;
    this.#index = index;
    let at = start;
    this.#starts = index.bytes.map((bytes) => (at += bytes) - bytes);
  }

  /** The file of a page; undefined for any other, or one that is cut. */
  static async of(file: Blob, { key }: AttentionBody): Promise<AttentionFile | undefined> {
    const head = await file.slice(0, kMagic.length + 4).arrayBuffer();
    if (new TextDecoder().decode(head.slice(0, kMagic.length)) !== kMagic || head.byteLength < kMagic.length + 4) return undefined;
    const start = head.byteLength + new DataView(head).getUint32(kMagic.length, true);
    try {
      const index = JSON.parse(await file.slice(head.byteLength, start).text()) as AttentionIndex;
      const size = index.bytes.reduce((sum, bytes) => sum + bytes, start);
      return index.key === key && size === file.size ? new AttentionFile(file, index, start) : undefined;
    } catch {
      return undefined;
    }
  }

  /** A head by its places in the page's lists. */
  head(layer: number, head: number): Promise<Head> {
    const { heads, bytes, tokens } = this.#index;
    const number = layer * heads.length + head;
    const known = this.#heads.get(number);
    if (known !== undefined) return known;
    const start = this.#starts[number]!;
    const read = inflated(this.#file.slice(start, start + bytes[number]!)).then((data) => wholeHead(data, 0, tokens));
    this.#heads.set(number, read);
    return read;
  }
}
