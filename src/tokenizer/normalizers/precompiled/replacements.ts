import { ClusterBreaks } from '../../unicode/grapheme-clusters.js';
import { AlignedStream, type ChangeStream } from '../aligned-stream.js';
import { type CharacterStream, Ended } from '../character-stream.js';
import type { Charsmap } from './charsmap.js';

/** A grapheme cluster of more UTF-8 bytes is never replaced as a whole. */
const MOST_CLUSTER_BYTES = 5;

/** A text with the replacements of a character map. */
export function precompiled(upstream: CharacterStream, charsmap: Charsmap): CharacterStream {
  return new AlignedStream(upstream, (onRead) => new Replacements(upstream, charsmap, onRead));
}

/**
 * Replaces grapheme clusters by their first, shortest match in the map, which stands for all of the cluster; characters that are not
 * replaced so are looked up one by one.
 */
class Replacements implements ChangeStream {
  change = 0;
  readonly #upstream: CharacterStream;
  readonly #charsmap: Charsmap;
  readonly #onRead: () => void;
  readonly #breaks = new ClusterBreaks();
  /** The cluster that is being read, as long as it may be replaced as a whole. */
  readonly #cluster = new Int32Array(MOST_CLUSTER_BYTES + 1);
  #clusterLength = 0;
  #clusterBytes = 0;
  /** Characters that were made, [#at, #end), and how they follow. The last one waits: what is removed behind it counts as its change. */
  readonly #made: number[] = [];
  readonly #changes: number[] = [];
  #at = 0;
  #end = 0;

  constructor(upstream: CharacterStream, charsmap: Charsmap, onRead: () => void) {
    this.#upstream = upstream;
    this.#charsmap = charsmap;
    this.#onRead = onRead;
  }

  next(): number {
    for (;;) {
      if (this.#end - this.#at > 1) return this.#take();
      const codePoint = this.#upstream.next();
      if (codePoint === Ended) {
        if (this.#clusterLength > 0) {
          this.#endCluster();
          continue;
        }
        return this.#end > this.#at ? this.#take() : Ended;
      }
      if (codePoint < 0) return codePoint;
      this.#onRead();
      this.#read(codePoint);
    }
  }

  reset(): void {
    this.#breaks.reset();
    this.#clusterLength = this.#clusterBytes = 0;
    this.#at = this.#end = 0;
    this.#upstream.reset();
  }

  #take(): number {
    const at = this.#at++;
    const codePoint = this.#made[at] as number;
    this.change = this.#changes[at] as number;
    // The one that waits moves to the front.
    if (this.#at === this.#end - 1) {
      this.#made[0] = this.#made[this.#at] as number;
      this.#changes[0] = this.#changes[this.#at] as number;
      this.#at = 0;
      this.#end = 1;
    } else if (this.#at === this.#end) {
      this.#at = this.#end = 0;
    }
    return codePoint;
  }

  #read(codePoint: number): void {
    const bytes = codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
    if (this.#breaks.isBefore(codePoint)) {
      this.#endCluster();
      this.#cluster[0] = codePoint;
      this.#clusterLength = 1;
      this.#clusterBytes = bytes;
      return;
    }
    const wasLong = this.#clusterBytes > MOST_CLUSTER_BYTES;
    this.#clusterBytes += bytes;
    if (!wasLong) this.#cluster[this.#clusterLength++] = codePoint;
    if (this.#clusterBytes <= MOST_CLUSTER_BYTES) return;
    if (wasLong) {
      this.#cluster[0] = codePoint;
      this.#clusterLength = 1;
    }
    this.#makeOfEach();
    this.#clusterLength = 0;
  }

  #endCluster(): void {
    const length = this.#clusterLength;
    if (length === 0) return;
    const replacement = this.#charsmap.find(this.#cluster, 0, length);
    if (replacement !== undefined) this.#replace(length, replacement);
    else if (length === 1) this.#make(this.#cluster[0] as number, 0);
    else this.#makeOfEach();
    this.#clusterLength = 0;
  }

  #makeOfEach(): void {
    for (let k = 0; k < this.#clusterLength; k++) {
      const replacement = this.#charsmap.find(this.#cluster, k, k + 1);
      if (replacement !== undefined) this.#replace(1, replacement);
      else this.#make(this.#cluster[k] as number, 0);
    }
  }

  /** Puts `replacement` in place of `count` characters. */
  #replace(count: number, replacement: readonly number[]): void {
    const { length } = replacement;
    for (let k = 0; k < length; k++) this.#make(replacement[k] as number, k < count ? 0 : 1);
    const last = this.#end - 1;
    // At the beginning of a text there is nothing before: as in the reference, what follows is then aligned with what was removed.
    if (length < count && last >= 0) (this.#changes[last] as number) += length - count;
  }

  #make(codePoint: number, change: number): void {
    this.#made[this.#end] = codePoint;
    this.#changes[this.#end++] = change;
  }
}
