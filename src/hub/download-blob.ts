import { quote } from '../checkpoint/describe.js';
import { unexpected } from '../expected.js';
import type { RepositoryCache } from './cache.js';
import type { HubClient, RemoteFile } from './client.js';
import { Backoff, Transient } from './http.js';
import { withLock } from './lock.js';
import { isIntact, PartialFile } from './partial-file.js';
import type { Progress } from './progress.js';

/** Progress after which a broken connection counts as the first again. */
const kProgressBytes = 1 << 20;

/** What one download works with. */
export interface Download {
  readonly cache: RepositoryCache;
  readonly client: HubClient;
  readonly commit: string;
  readonly progress: Progress;
  /** Read cached files again and compare their hashes, instead of their sizes only. */
  readonly verify: boolean;
  readonly symlinks: boolean;
  readonly signal: AbortSignal | undefined;
}

/**
 * Sees to it that a snapshot has a file, whole and checked.
 *
 * Errors: HUB_CHECKSUM, HUB_NOT_FOUND, HUB_UNAUTHORIZED, HUB_UNREACHABLE, HUB_HTTP, IO, the signal's reason.
 */
export async function ensureFile(download: Download, file: RemoteFile): Promise<void> {
  const { cache, commit, verify, symlinks, signal } = download;
  if (await isIntact(cache.pointer(commit, file.name), file, verify)) return;
  const blob = cache.blob(file.hash);
  const isDone = (): Promise<boolean> => isIntact(blob, file, verify);
  if (!(await isDone())) await withLock(cache.lock(file.hash), isDone, () => downloadBlob(download, file, blob), signal);
  await cache.link(commit, file.name, file.hash, symlinks);
}

async function downloadBlob(download: Download, file: RemoteFile, blob: string): Promise<void> {
  download.progress.begin(file.name, file.bytes);
  const partial = await PartialFile.open(blob, file);
  let isWorthKeeping = true;
  try {
    await receiveAll(download, file, partial);
    if (partial.digest() !== file.hash) {
      // What was left behind, or one answer, may have been damaged: once more from the beginning.
      await partial.restart();
      await receiveAll(download, file, partial);
    }
    if (partial.digest() !== file.hash) {
      isWorthKeeping = false;
      throw unexpected(
        'HUB_CHECKSUM',
        `the hash ${file.hash} for ${quote(file.name)}`,
        `${partial.digest()}, twice: something changes the file on its way`,
        { hint: 'Nothing of it was kept. Try again, or check HF_ENDPOINT and proxies.' },
      );
    }
    await partial.publish(blob);
    download.progress.finish(file.name);
  } catch (error) {
    await partial.close({ keep: isWorthKeeping });
    throw error;
  }
}

/** Asks for what is missing until all of it has come. */
async function receiveAll(download: Download, file: RemoteFile, partial: PartialFile): Promise<void> {
  const backoff = new Backoff(download.signal);
  while (partial.size < file.bytes) {
    const before = partial.size;
    try {
      await receive(download, file, partial);
    } catch (error) {
      if (partial.size - before >= kProgressBytes) backoff.reset();
      await backoff.pause(error);
    }
  }
}

async function receive({ client, commit, progress }: Download, file: RemoteFile, partial: PartialFile): Promise<void> {
  const { start, chunks } = await client.open(commit, file.name, partial.size);
  if (start !== partial.size) await partial.restart();
  progress.advance(file.name, partial.size, file.bytes);
  for await (const chunk of chunks) {
    if (partial.size + chunk.length > file.bytes) {
      await partial.restart();
      throw cutOrLong(file, `more than ${file.bytes}`);
    }
    await partial.append(chunk);
    progress.advance(file.name, partial.size, file.bytes);
  }
  if (partial.size < file.bytes) throw cutOrLong(file, `only ${partial.size}`);
}

function cutOrLong({ name, bytes }: RemoteFile, got: string): Transient {
  return new Transient(unexpected('HUB_HTTP', `${bytes} bytes for ${quote(name)}`, `${got}, again and again`));
}
