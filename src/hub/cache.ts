import { randomBytes } from 'node:crypto';
import { copyFile, mkdir, readdir, readFile, realpath, rename, symlink, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { quote, quotePath } from '../checkpoint/describe.js';
import { exists } from '../checkpoint/exists.js';
import { ioError } from '../checkpoint/files.js';
import { unexpected } from '../expected.js';
import { isCommit, isSafeFileName } from './repository.js';

/**
 * One model in the Hub's cache, in the layout that Python's huggingface_hub reads and writes:
 * `models--org--name/{blobs/<hash>, refs/<revision>, snapshots/<commit>/<file> → ../../blobs/<hash>, .no_exist/<commit>/<file>}`.
 * Every file appears under its name whole.
 */
export class RepositoryCache {
  readonly folder: string;
  readonly #lockFolder: string;

  constructor(cacheDir: string, id: string) {
    const name = `models--${id.replaceAll('/', '--')}`;
    this.folder = path.join(cacheDir, name);
    this.#lockFolder = path.join(cacheDir, '.locks', name);
  }

  snapshot(commit: string): string {
    return path.join(this.folder, 'snapshots', commit);
  }

  blob(hash: string): string {
    return path.join(this.folder, 'blobs', hash);
  }

  /** Python's own lock, `<hash>.lock`, is the system's flock, which Node does not have: this one lies beside it. */
  lock(hash: string): string {
    return path.join(this.#lockFolder, `${hash}.bertha.lock`);
  }

  /** Where a file of a snapshot is, or would be. Errors: INDEX_PATH (a name that leaves the snapshot). */
  pointer(commit: string, file: string): string {
    return path.join(this.snapshot(commit), checked(file));
  }

  /** The commit that a revision was when it was last asked for; undefined where it never was. */
  async commitOf(revision: string): Promise<string | undefined> {
    if (isCommit(revision)) return revision;
    const text = await readFile(path.join(this.folder, 'refs', revision), 'utf8').catch(() => '');
    return isCommit(text.trim()) ? text.trim() : undefined;
  }

  /** The pull requests that were ever fetched, as revisions, newest first. */
  async pullRequests(): Promise<string[]> {
    const numbers = await readdir(path.join(this.folder, 'refs', 'refs', 'pr')).catch(() => [] as string[]);
    const known = numbers.filter((number) => /^\d{1,9}$/.test(number)).map(Number);
    return known.sort((a, b) => b - a).map((number) => `refs/pr/${number}`);
  }

  /** Whether a commit has a file: true where it is here, false where it is known not to exist, undefined where nobody has asked. */
  async has(commit: string, file: string): Promise<boolean | undefined> {
    if (await exists(this.pointer(commit, file))) return true;
    return (await exists(this.#absence(commit, file))) ? false : undefined;
  }

  /** Remembers that a commit lacks a file, as Python does. Where the cache is read-only, nothing is remembered. */
  async recordAbsence(commit: string, file: string): Promise<void> {
    const record = this.#absence(commit, file);
    await mkdir(path.dirname(record), { recursive: true })
      .then(() => writeFile(record, '', { flag: 'a' }))
      .catch(() => undefined);
  }

  /** The real path of a commit's snapshot, undefined where there is none. */
  realSnapshot(commit: string): Promise<string | undefined> {
    return realpath(this.snapshot(commit)).catch(() => undefined);
  }

  /** Makes the folders of a commit and returns its snapshot's real path. Errors: IO. */
  async prepare(commit: string): Promise<string> {
    try {
      for (const folder of [path.join(this.folder, 'blobs'), path.join(this.folder, 'refs'), this.snapshot(commit), this.#lockFolder]) {
        await mkdir(folder, { recursive: true });
      }
      return await realpath(this.snapshot(commit));
    } catch (error) {
      throw ioError(`make ${quotePath(this.folder)} in the cache of models`, error);
    }
  }

  /** Errors: IO. */
  async recordCommit(revision: string, commit: string): Promise<void> {
    if (isCommit(revision)) return;
    await place(path.join(this.folder, 'refs', revision), (temporary) => writeFile(temporary, commit));
  }

  /** Puts a blob into a snapshot under its name: as a relative link, or a copy where links are unwanted or not allowed. Errors: IO. */
  async link(commit: string, file: string, hash: string, symlinks: boolean): Promise<void> {
    const pointer = this.pointer(commit, file);
    const blob = this.blob(hash);
    await place(pointer, async (temporary) => {
      const linked =
        symlinks &&
        (await symlink(path.relative(path.dirname(pointer), blob), temporary).then(
          () => true,
          () => false,
        ));
      if (!linked) await copyFile(blob, temporary);
    });
  }

  #absence(commit: string, file: string): string {
    return path.join(this.folder, '.no_exist', commit, checked(file));
  }
}

async function place(target: string, make: (temporary: string) => Promise<unknown>): Promise<void> {
  const temporary = `${target}.${randomBytes(4).toString('hex')}.tmp`;
  try {
    await mkdir(path.dirname(target), { recursive: true });
    await make(temporary);
    await rename(temporary, target);
  } catch (error) {
    await unlink(temporary).catch(() => undefined);
    throw ioError(`write ${quotePath(target)}`, error);
  }
}

function checked(file: string): string {
  if (isSafeFileName(file)) return file;
  throw unexpected('INDEX_PATH', "a file name inside the model's repository", quote(file));
}
