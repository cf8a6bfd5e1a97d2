import { quote } from '../checkpoint/describe.js';
import { WEIGHT_FILES } from '../checkpoint/weights/weight-files.js';
import type { RepositoryCache } from './cache.js';
import type { HubClient, Listing } from './client.js';

/** A revision and what it holds. */
export interface Found {
  readonly revision: string;
  readonly listing: Listing;
}

const kMostAsked = 10;
const kNames = WEIGHT_FILES.flatMap(({ file, index }) => [file, index]);
const [{ file: kSafetensors, index: kSafetensorsIndex }] = WEIGHT_FILES;

/** Whether a commit has weights that can be read, in whatever folder. */
export function hasWeights({ files }: Listing): boolean {
  return [...files.keys()].some((name) => name.endsWith('.safetensors') || kNames.includes(name.slice(name.lastIndexOf('/') + 1)));
}

/**
 * The newest pull request whose commit holds safetensors, where `main` has no weights that can be read; undefined where there is none. Anyone may open
 * one: whoever loads it is warned.
 *
 * Errors: those of `client`.
 */
export async function findConversion(model: string, client: HubClient): Promise<Found | undefined> {
  for (const revision of (await client.pullRequests()).slice(0, kMostAsked)) {
    const listing = await client.list(revision);
    if (!listing.files.has(kSafetensors) && !listing.files.has(kSafetensorsIndex)) continue;
    const why = 'main has no weights that can be read, and anyone may have opened that pull request';
    process.emitWarning(
      `${quote(model)} is loaded as ${quote(revision)} has it: ${why}. Pass its commit, ${listing.commit}, as the revision to keep to it.`,
      {
        code: 'BERTHA_HUB',
      },
    );
    return { revision, listing };
  }
  return undefined;
}

/** Remembers that a commit has no weights, so that its pull requests are looked at in the cache as well. */
export async function recordNoWeights(cache: RepositoryCache, commit: string): Promise<void> {
  for (const name of kNames) await cache.recordAbsence(commit, name);
}

/** The pull requests in the cache, newest first, of a model whose commit is known to have no weights. */
export async function cachedConversions(cache: RepositoryCache, revision: string): Promise<readonly string[]> {
  const commit = await cache.commitOf(revision);
  if (commit === undefined) return [];
  for (const name of kNames) if ((await cache.has(commit, name)) !== false) return [];
  return cache.pullRequests();
}
