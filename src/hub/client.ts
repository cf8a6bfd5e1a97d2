import { describe, quote } from '../checkpoint/describe.js';
import { isJsonObject, parseJson } from '../checkpoint/json-fields.js';
import type { BerthaError, ErrorCode } from '../errors.js';
import { unexpected } from '../expected.js';
import { Backoff, get, Transient, type Answer } from './http.js';
import { isCommit, isSafeFileName } from './repository.js';
import type { HubSettings } from './settings.js';

/** A file of a commit. */
export interface RemoteFile {
  readonly name: string;
  readonly bytes: number;
  /** Of the content: SHA-256 in 64 digits, or git's SHA-1 of the blob in 40. */
  readonly hash: string;
}

/** What a revision is and holds. */
export interface Listing {
  readonly commit: string;
  readonly files: ReadonlyMap<string, RemoteFile>;
}

const kMaxListingBytes = 64 << 20;

/** The requests that a model needs: what a revision holds, a file of a commit, and which pull requests there are. */
export class HubClient {
  readonly #settings: HubSettings;
  readonly #id: string;
  readonly #signal: AbortSignal | undefined;

  constructor(id: string, settings: HubSettings, signal?: AbortSignal) {
    this.#id = id;
    this.#settings = settings;
    this.#signal = signal;
  }

  /** Errors: HUB_NOT_FOUND, HUB_UNAUTHORIZED, HUB_UNREACHABLE, HUB_HTTP, the signal's reason. */
  async list(revision: string, attempts?: number): Promise<Listing> {
    return this.#ask(`revision/${encodeURIComponent(revision)}?blobs=true`, parseListing, attempts);
  }

  /** The pull requests as revisions, `refs/pr/7`, newest first. Errors: as `list`. */
  async pullRequests(): Promise<readonly string[]> {
    return this.#ask('refs?include_prs=1', parsePullRequests);
  }

  /** What the model's part of the Hub's interface answers. */
  async #ask<T>(question: string, parse: (text: string, source: string) => T, attempts?: number): Promise<T> {
    const address = `${this.#settings.endpoint}/api/models/${this.#id}/${question}`;
    for (const backoff = new Backoff(this.#signal, attempts); ;) {
      try {
        const answer = await this.#get(address, this.#settings.metadataTimeoutMs, { accept: 'application/json' });
        return parse(await readText(answer), answer.source);
      } catch (error) {
        await backoff.pause(error);
      }
    }
  }

  /**
   * Opens a file from a byte on; `start` is where the answer begins, 0 where the server does not serve parts.
   *
   * Errors: as `list`, those that may pass as `Transient`.
   */
  async open(commit: string, file: string, from: number): Promise<{ readonly start: number; readonly chunks: AsyncGenerator<Uint8Array> }> {
    const name = file.split('/').map(encodeURIComponent).join('/');
    const address = `${this.#settings.endpoint}/${this.#id}/resolve/${commit}/${name}`;
    const headers: Record<string, string> = from > 0 ? { range: `bytes=${from}-` } : {};
    const answer = await this.#get(address, this.#settings.downloadTimeoutMs, headers);
    if (answer.status !== 206) return { start: 0, chunks: answer.chunks() };
    const start = Number(/^bytes (\d+)-/.exec(answer.header('content-range') ?? '')?.[1] ?? NaN);
    if (start === from) return { start, chunks: answer.chunks() };
    answer.discard();
    throw unexpected('HUB_HTTP', `bytes from ${from} of ${answer.source}`, 'another part');
  }

  async #get(address: string, timeoutMs: number, headers: Readonly<Record<string, string>>): Promise<Answer> {
    const { token } = this.#settings;
    const answer = await get(address, { headers, token, timeoutMs, signal: this.#signal });
    if (answer.status === 200 || answer.status === 206) return answer;
    answer.discard();
    throw this.#refusal(answer, token !== undefined);
  }

  #refusal({ status, header, source }: Answer, hadToken: boolean): Error {
    const reason = header('x-error-code') ?? '';
    const said = header('x-error-message');
    const detail = `${status}${reason === '' ? '' : ` ${quote(reason)}`}${said === undefined ? '' : `, ${quote(said)}`}`;
    const refuse = (code: ErrorCode, hint?: string): BerthaError => unexpected(code, `${quote(this.#id)} from ${source}`, detail, { hint });
    const secret = hadToken ? 'The token that was sent does not open it.' : 'If it is private, set HF_TOKEN or the option token.';
    if (reason === 'RevisionNotFound') return refuse('HUB_NOT_FOUND', 'There is no such revision.');
    if (status === 404 || reason === 'RepoNotFound') {
      return refuse('HUB_NOT_FOUND', `Check the spelling of the id and whether its directory exists. ${secret}`);
    }
    if (reason === 'GatedRepo') {
      const page = `${this.#settings.endpoint}/${this.#id}`;
      return refuse('HUB_UNAUTHORIZED', `Ask for access on ${page} and set HF_TOKEN to a token of that account.`);
    }
    if (status === 401 || status === 403) {
      return refuse('HUB_UNAUTHORIZED', `It may not exist, or be private. ${secret}`);
    }
    const error = refuse('HUB_HTTP');
    if (status < 500 && status !== 429 && status !== 408 && status !== 416) return error;
    const seconds = Number(header('retry-after') ?? NaN);
    return new Transient(error, seconds >= 0 ? seconds * 1000 : undefined);
  }
}

async function readText(answer: Answer): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of answer.chunks()) {
    bytes += chunk.length;
    if (bytes > kMaxListingBytes) throw badListing(answer.source, `more than ${kMaxListingBytes} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString('utf8');
}

function parseListing(text: string, source: string): Listing {
  const info = parseJson(text, source, 'HUB_HTTP');
  if (!isJsonObject(info) || !Array.isArray(info['siblings'])) throw badListing(source, 'something else');
  const commit = info['sha'];
  if (typeof commit !== 'string' || !isCommit(commit)) throw badListing(source, `the commit ${describe(commit)}`);
  const files = new Map<string, RemoteFile>();
  for (const sibling of info['siblings'] as unknown[]) {
    const file = isJsonObject(sibling) ? sibling : {};
    const lfs = isJsonObject(file['lfs']) ? file['lfs'] : undefined;
    const [name, bytes, hash] = [file['rfilename'], lfs?.['size'] ?? file['size'], lfs?.['sha256'] ?? file['blobId']];
    // A name that no model file can have is of no interest.
    if (typeof name !== 'string' || !isSafeFileName(name)) continue;
    if (!Number.isSafeInteger(bytes) || (bytes as number) < 0 || typeof hash !== 'string' || !isHash(hash, lfs !== undefined)) {
      throw badListing(source, `${describe(bytes)} and ${describe(hash)} for ${quote(name)}`);
    }
    files.set(name, { name, bytes: bytes as number, hash });
  }
  return { commit, files };
}

function parsePullRequests(text: string, source: string): readonly string[] {
  const refs = parseJson(text, source, 'HUB_HTTP');
  const listed = isJsonObject(refs) ? refs['pullRequests'] : undefined;
  const numbers = (Array.isArray(listed) ? (listed as unknown[]) : []).flatMap((each) => {
    const ref = isJsonObject(each) ? each['ref'] : undefined;
    const number = typeof ref === 'string' ? /^refs\/pr\/(\d{1,9})$/.exec(ref)?.[1] : undefined;
    return number === undefined ? [] : [Number(number)];
  });
  return numbers.sort((a, b) => b - a).map((number) => `refs/pr/${number}`);
}

function isHash(hash: string, isLfs: boolean): boolean {
  return (isLfs ? /^[0-9a-f]{64}$/ : /^[0-9a-f]{40}$/).test(hash);
}

function badListing(source: string, got: string): BerthaError {
  return unexpected('HUB_HTTP', `a commit and its files with size and hash from ${source}`, got);
}
