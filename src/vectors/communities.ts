import { abortSignal, finite, integer, readOptions } from '../options.js';
import { searchRows } from './pool.js';
import { toRows } from './rows.js';
import type { VectorLike, VectorMatrix } from './vector-like.js';

/** Options of `communityDetection`. */
export interface CommunityOptions {
  /** Least cosine similarity of a member to the centre. Default 0.75. */
  readonly threshold?: number | undefined;
  /** Members of a community at least. Default 10. */
  readonly minCommunitySize?: number | undefined;
  readonly signal?: AbortSignal | undefined;
}

/** Similarities that a tile of vectors may keep in native memory. */
const kTileMatches = 1 << 24;

/**
 * Groups of vectors that are near to a centre, as `sentence_transformers.util.community_detection` finds them: each vector is tried as a
 * centre, the largest groups go first, and a vector belongs to one group at most. The indices of each group, its centre first, then by
 * falling similarity; groups by falling size. Computed on the pool, in float64.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, ADDON_LOAD, OUT_OF_MEMORY, the signal's reason.
 */
export async function communityDetection(vectors: readonly VectorLike[] | VectorMatrix, options?: CommunityOptions): Promise<number[][]> {
  const settings = readOptions('communityDetection', options, {
    threshold: finite,
    minCommunitySize: integer(1, 2 ** 31),
    signal: abortSignal,
  });
  const { threshold = 0.75, minCommunitySize = 10, signal } = settings;
  const [rows, corpus] = [0, 1].map(() => toRows(vectors, 'the vectors of communityDetection'));
  if (rows!.count < minCommunitySize) return [];
  const found: { readonly centre: number; readonly members: number[] }[] = [];
  const wanted = {
    name: 'communityDetection',
    topK: rows!.count,
    threshold,
    isCosine: true,
    signal,
    tile: Math.max(1, Math.floor(kTileMatches / rows!.count)),
  };
  await searchRows(rows!, corpus!, wanted, (centre, indices) => {
    let last = found.at(-1);
    if (last?.centre !== centre) {
      if (last !== undefined && last.members.length < minCommunitySize) found.pop();
      found.push((last = { centre, members: [] }));
    }
    for (const index of indices) last.members.push(index);
  });
  if (found.length > 0 && found.at(-1)!.members.length < minCommunitySize) found.pop();
  return withoutOverlap(found, minCommunitySize, rows!.count);
}

function withoutOverlap(found: { readonly centre: number; readonly members: number[] }[], least: number, count: number): number[][] {
  const isUsed = new Uint8Array(count);
  const communities: number[][] = [];
  for (const { centre, members } of found.sort((a, b) => b.members.length - a.members.length)) {
    if (isUsed[centre] === 1) continue;
    const free = members.filter((index) => isUsed[index] === 0);
    if (free.length < least) continue;
    const community = [centre, ...free.filter((index) => index !== centre)];
    communities.push(community);
    for (const index of community) isUsed[index] = 1;
  }
  return communities.sort((a, b) => b.length - a.length);
}
