import { quote, quotePath } from '../checkpoint/describe.js';
import { exists } from '../checkpoint/exists.js';
import { WEIGHT_FILES } from '../checkpoint/weights/weight-files.js';
import { BerthaError } from '../errors.js';
import { unexpected, wrongArgument } from '../expected.js';
import { abortSignal, flag, readOptions } from '../options.js';
import { RepositoryCache } from './cache.js';
import { HubClient, type Listing } from './client.js';
import { cachedConversions, findConversion, hasWeights, recordNoWeights } from './conversions.js';
import { ensureFile } from './download-blob.js';
import { needModelFiles, type ModelPart } from './model-files.js';
import { Progress } from './progress.js';
import { checkRepositoryId, checkRevision, isPathLike } from './repository.js';
import { hubSchema, readHubSettings, type HubOptions, type HubSettings } from './settings.js';

/** How `downloadModel` downloads. */
export interface DownloadModelOptions extends Omit<HubOptions, 'localFilesOnly'> {
  /** Read cached files again and compare their hashes; damaged ones are fetched anew. Default false: their sizes are compared. */
  readonly verify?: boolean | undefined;
  /** Stops the download, which then rejects with the signal's reason; the next one goes on where it stopped. */
  readonly signal?: AbortSignal | undefined;
}

/** Where a model is now. */
export interface DownloadedModel {
  /** The snapshot, a model directory. */
  readonly directory: string;
  /** The commit that the revision is. */
  readonly commit: string;
}

const kDefaultRevision = 'main';
/** Where the cache would do, the Hub is not worth waiting for. */
const kAttemptsIfCached = 1;
const { localFilesOnly: _, ...downloadSchema } = { ...hubSchema, verify: flag, signal: abortSignal };

/**
 * The directory of a model: `model` itself where it is one, else, taken as an id on the Hub, its snapshot in the Hub's cache, downloaded
 * first where it is not there. A cached model is used without asking the Hub whether there is a newer one.
 *
 * Errors: INVALID_ARG (neither a directory nor an id), INVALID_OPTION, HUB_OFFLINE, and those of `downloadModel`. A path that does not
 * exist is returned as it is, for the reader to refuse.
 */
export async function resolveModel(model: string, options: HubOptions, part: ModelPart): Promise<string> {
  if (isPathLike(model) || (await exists(model))) return model;
  checkRepositoryId(model);
  const { revision = kDefaultRevision, onProgress } = options;
  checkRevision(revision);
  const settings = await readHubSettings(options);
  const cache = new RepositoryCache(settings.cacheDir, model);
  const cached = await findCached(cache, revision, part);
  if (cached?.isComplete === true) return cached.directory;
  for (const conversion of revision === kDefaultRevision ? await cachedConversions(cache, revision) : []) {
    const converted = await findCached(cache, conversion, part);
    if (converted?.isComplete === true) return converted.directory;
  }
  const fallBack = (why: string): string => {
    process.emitWarning(
      `${quote(model)} is loaded as cached in ${quotePath(cached!.directory)}, and may lack files such as modules.json: ${why}`,
      { code: 'BERTHA_HUB' },
    );
    return cached!.directory;
  };
  if (settings.offline !== undefined) {
    if (cached?.isUsable === true) return fallBack(`${settings.offline} is set.`);
    throw notDirectory(model, notCached(model, revision, settings, cache));
  }
  const client = new HubClient(model, settings);
  let listing: Listing;
  try {
    listing = await client.list(revision, cached?.isUsable === true ? kAttemptsIfCached : undefined);
  } catch (error) {
    if (cached?.isUsable === true && error instanceof BerthaError && error.code.startsWith('HUB_')) return fallBack(error.message);
    throw notDirectory(model, error);
  }
  const progress = new Progress(model, onProgress);
  const fetch = { model, revision, part, settings, cache, client, progress, verify: false, signal: undefined };
  return (await fetchModel(listing, fetch)).directory;
}

/**
 * Downloads a model from the Hub into the cache that Python shares, or brings the cached one up to date: only files that Bertha reads,
 * only those that are missing, each checked against its hash.
 *
 * Errors: INVALID_ARG, INVALID_OPTION, HUB_NOT_FOUND, HUB_UNAUTHORIZED, HUB_OFFLINE, HUB_UNREACHABLE, HUB_CHECKSUM, HUB_HTTP,
 * MODEL_NOT_FOUND (no weights there that can be read), CONFIG, INDEX, IO, or the signal's reason.
 */
export async function downloadModel(model: string, options?: DownloadModelOptions): Promise<DownloadedModel> {
  if (typeof model !== 'string') {
    throw wrongArgument('an id on the Hub for downloadModel', model);
  }
  const { revision = kDefaultRevision, verify = false, signal, ...given } = readOptions('downloadModel', options, downloadSchema);
  checkRepositoryId(model);
  checkRevision(revision);
  signal?.throwIfAborted();
  const settings = await readHubSettings(given);
  const cache = new RepositoryCache(settings.cacheDir, model);
  if (settings.offline !== undefined) throw offlineDownload(model, settings);
  const client = new HubClient(model, settings, signal);
  const listing = await client.list(revision);
  const progress = new Progress(model, given.onProgress);
  return fetchModel(listing, { model, revision, part: 'model', settings, cache, client, progress, verify, signal });
}

interface Fetch {
  readonly model: string;
  readonly revision: string;
  readonly part: ModelPart;
  readonly settings: HubSettings;
  readonly cache: RepositoryCache;
  readonly client: HubClient;
  readonly progress: Progress;
  readonly verify: boolean;
  readonly signal: AbortSignal | undefined;
}

/** Fetches the files of a commit, or, where those of main hold no weights, of the pull request that does. */
async function fetchModel(listing: Listing, fetch: Fetch): Promise<DownloadedModel> {
  const { model, revision, part, cache, client } = fetch;
  if (part === 'tokenizer' || hasWeights(listing)) return fetchCommit(listing, fetch);
  const found = revision === kDefaultRevision ? await findConversion(model, client) : undefined;
  if (found === undefined) throw noWeights(model, [...listing.files.keys()]);
  const converted = await fetchCommit(found.listing, { ...fetch, revision: found.revision });
  await recordNoWeights(cache, listing.commit);
  await cache.recordCommit(revision, listing.commit);
  return converted;
}

async function fetchCommit({ commit, files }: Listing, fetch: Fetch): Promise<DownloadedModel> {
  const { revision, part, settings, cache } = fetch;
  const directory = await cache.prepare(commit);
  const download = { ...fetch, commit, symlinks: settings.symlinks };
  // They come last and are nearly all of it: without them the sum would reach 100 % twice.
  const weights = part === 'model' ? WEIGHT_FILES.flatMap(({ file }) => files.get(file) ?? [])[0] : undefined;
  if (weights !== undefined && !(await exists(cache.blob(weights.hash)))) fetch.progress.expect(weights.name, weights.bytes);
  await needModelFiles(directory, part, async (name) => {
    const file = files.get(name);
    if (file === undefined) await cache.recordAbsence(commit, name);
    else await ensureFile(download, file);
    return file !== undefined;
  });
  await cache.recordCommit(revision, commit);
  return { directory, commit };
}

/** What the cache has of a revision; undefined where it has nothing. */
async function findCached(
  cache: RepositoryCache,
  revision: string,
  part: ModelPart,
): Promise<{ readonly directory: string; readonly isUsable: boolean; readonly isComplete: boolean } | undefined> {
  const commit = await cache.commitOf(revision);
  const directory = commit === undefined ? undefined : await cache.realSnapshot(commit);
  if (commit === undefined || directory === undefined) return undefined;
  let hasUnknown = false;
  let hasModules = false;
  const isUsable = await needModelFiles(directory, part, async (name) => {
    const isHere = await cache.has(commit, name);
    if (isHere === undefined) hasUnknown = true;
    if (name === 'modules.json') hasModules = isHere === true;
    return isHere === true;
  });
  // Python's transformers never asks for modules.json: without it and without a record of its absence nobody knows how the model pools.
  // Whoever has fetched modules.json has fetched what it names before tokenizer and weights, Bertha and sentence-transformers alike.
  return { directory, isUsable, isComplete: isUsable && (!hasUnknown || hasModules) };
}

/** Said before a download that would be for nothing. */
function noWeights(model: string, files: readonly string[]): BerthaError {
  const wanted = `${WEIGHT_FILES.map(({ file }) => file).join(' or ')} in ${quote(model)}`;
  return unexpected('MODEL_NOT_FOUND', wanted, files.slice(0, 20).map(quote).join(', ') || 'no file');
}

function notCached(model: string, revision: string, { offline }: HubSettings, cache: RepositoryCache): BerthaError {
  return unexpected(
    'HUB_OFFLINE',
    `${quote(model)}, revision ${quote(revision)}, in ${quotePath(cache.folder)}`,
    `nothing that can be loaded, and ${offline} forbids a download`,
    { hint: `Run "bertha download ${model}" where there is a network, or name a directory.` },
  );
}

function offlineDownload(model: string, { offline }: HubSettings): BerthaError {
  return unexpected('HUB_OFFLINE', `leave to download ${quote(model)}`, `${offline}, which forbids it`, { hint: 'Unset it.' });
}

/** A mistyped directory is looked for on the Hub: its error says so. */
function notDirectory(model: string, error: unknown): unknown {
  if (!(error instanceof BerthaError)) return error;
  const message = `${error.message} There is no directory ${quotePath(model)}, so it was taken for an id on the Hub.`;
  return new BerthaError(error.code, message, { cause: error.cause });
}
