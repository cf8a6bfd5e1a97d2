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
  #cluster: number[] = [];
  #clusterBytes = 0;
  /** Characters that were made, from `#at` on, and how they follow. The last one waits: what is removed behind it counts as its change. */
  #made: number[] = [];
  #changes: number[] = [];
  #at = 0;

  constructor(upstream: CharacterStream, charsmap: Charsmap, onRead: () => void) {
    this.#upstream = upstream;
    this.#charsmap = charsmap;
    this.#onRead = onRead;
  }

  next(): number {
    for (;;) {
      if (this.#made.length - this.#at > 1) return this.#take();
      const codePoint = this.#upstream.next();
      if (codePoint === Ended) {
        if (this.#cluster.length > 0) {
          this.#endCluster();
          continue;
        }
        return this.#made.length > this.#at ? this.#take() : Ended;
      }
      if (codePoint < 0) return codePoint;
      this.#onRead();
      this.#read(codePoint);
    }
  }

  reset(): void {
    this.#breaks.reset();
    this.#cluster = [];
    this.#clusterBytes = 0;
    this.#made = [];
    this.#changes = [];
    this.#at = 0;
    this.#upstream.reset();
  }

  #take(): number {
    const at = this.#at++;
    const codePoint = this.#made[at] as number;
    this.change = this.#changes[at] as number;
    // The one that waits moves to the front.
    if (this.#at === this.#made.length - 1) {
      this.#made[0] = this.#made[this.#at] as number;
      this.#changes[0] = this.#changes[this.#at] as number;
      this.#made.length = this.#changes.length = 1;
      this.#at = 0;
    } else if (this.#at === this.#made.length) {
      this.#made.length = this.#changes.length = this.#at = 0;
    }
    return codePoint;
  }

  #read(codePoint: number): void {
    const bytes = codePoint < 0x80 ? 1 : codePoint < 0x800 ? 2 : codePoint < 0x10000 ? 3 : 4;
    if (this.#breaks.isBefore(codePoint)) {
      this.#endCluster();
      this.#cluster.push(codePoint);
      this.#clusterBytes = bytes;
      return;
    }
    const wasLong = this.#clusterBytes > MOST_CLUSTER_BYTES;
    this.#clusterBytes += bytes;
    if (!wasLong) this.#cluster.push(codePoint);
    if (this.#clusterBytes <= MOST_CLUSTER_BYTES) return;
    if (wasLong) this.#makeOfEach([codePoint]);
    else {
      this.#makeOfEach(this.#cluster);
      this.#cluster.length = 0;
    }
  }

  #endCluster(): void {
    const cluster = this.#cluster;
    if (cluster.length === 0) return;
    const replacement = this.#charsmap.find(cluster, 0, cluster.length);
    if (replacement !== undefined) this.#replace(cluster.length, replacement);
    else if (cluster.length === 1) this.#make(cluster[0] as number, 0);
    else this.#makeOfEach(cluster);
    cluster.length = 0;
  }

  #makeOfEach(codePoints: readonly number[]): void {
    for (let k = 0; k < codePoints.length; k++) {
      const replacement = this.#charsmap.find(codePoints, k, k + 1);
      if (replacement !== undefined) this.#replace(1, replacement);
      else this.#make(codePoints[k] as number, 0);
    }
  }

  /** Puts `replacement` in place of `count` characters. */
  #replace(count: number, replacement: readonly number[]): void {
    const { length } = replacement;
    for (let k = 0; k < length; k++) this.#make(replacement[k] as number, k < count ? 0 : 1);
    const last = this.#changes.length - 1;
    // At the beginning of a text there is nothing before: as in the reference, what follows is then aligned with what was removed.
    if (length < count && last >= 0) (this.#changes[last] as number) += length - count;
  }

  #make(codePoint: number, change: number): void {
    this.#made.push(codePoint);
    this.#changes.push(change);
  }
}
