import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import path from 'node:path';
import { ioError, isMissing } from '../checkpoint/files.js';
import { unexpected } from '../expected.js';
import { expandHome, filePath, readFilePath, type FilePath } from '../file-path.js';
import { callback, flag, text } from '../options.js';
import type { ProgressEvent } from './progress.js';

/** How a model that is named by its id on the Hub is found. Without effect on a directory. */
export interface HubOptions {
  /** Branch, tag or commit. Default `'main'`; a commit is the only one that always names the same files. */
  readonly revision?: string | undefined;
  /** The Hub's cache. Default: `HF_HUB_CACHE`, else `hub` in `HF_HOME`, else `~/.cache/huggingface/hub`, which Python shares. */
  readonly cacheDir?: FilePath | undefined;
  /** Take only what the cache holds and contact nobody, as `HF_HUB_OFFLINE=1` does. Default false. */
  readonly localFilesOnly?: boolean | undefined;
  /** Access token for private and gated models. Default: `HF_TOKEN`, else what `hf auth login` saved. */
  readonly token?: string | undefined;
  /** Address of the Hub or of a mirror. Default: `HF_ENDPOINT`, else `https://huggingface.co`. */
  readonly endpoint?: string | undefined;
  /** Hears how a download goes. */
  readonly onProgress?: ((event: ProgressEvent) => void) | undefined;
}

/** The checks of `HubOptions`. */
export const hubSchema = { revision: text, cacheDir: filePath, localFilesOnly: flag, token: text, endpoint: text, onProgress: callback };

/** What the options and the environment say together. */
export interface HubSettings {
  readonly cacheDir: string;
  /** Without a slash at the end. */
  readonly endpoint: string;
  readonly token: string | undefined;
  /** What forbids the network, for messages; undefined where nothing does. */
  readonly offline: string | undefined;
  /** Milliseconds without an answer, and without a byte of a file, after which a request has failed. */
  readonly metadataTimeoutMs: number;
  readonly downloadTimeoutMs: number;
  /** Whether snapshots link to blobs; else they are copies. */
  readonly symlinks: boolean;
}

type Environment = Readonly<Record<string, string | undefined>>;

const kTimeoutS = 10;

/**
 * Reads the environment as huggingface_hub's constants.py does, at the time of the call; options go first.
 *
 * Errors: INVALID_OPTION (an endpoint that is no URL, a timeout that is no number, a token that no header can carry), IO.
 */
export async function readHubSettings(options: HubOptions, environment: Environment = process.env): Promise<HubSettings> {
  const read = (...names: string[]): string | undefined => names.map((name) => environment[name]).find((value) => value);
  const home = expandHome(read('HF_HOME') ?? path.join(read('XDG_CACHE_HOME') ?? path.join(homedir(), '.cache'), 'huggingface'));
  const isSet = (name: string): boolean => /^(?:1|on|yes|true)$/i.test(environment[name] ?? '');
  const offline = ['HF_HUB_OFFLINE', 'TRANSFORMERS_OFFLINE'].find(isSet);
  return {
    cacheDir: path.resolve(
      readFilePath(options.cacheDir) ?? expandHome(read('HF_HUB_CACHE', 'HUGGINGFACE_HUB_CACHE') ?? path.join(home, 'hub')),
    ),
    endpoint:
      options.endpoint === undefined
        ? readEndpoint(read('HF_ENDPOINT') ?? 'https://huggingface.co', 'HF_ENDPOINT')
        : readEndpoint(options.endpoint, 'the option endpoint'),
    token: options.token ?? (isSet('HF_HUB_DISABLE_IMPLICIT_TOKEN') ? undefined : await findToken(read, home)),
    offline: options.localFilesOnly === true ? 'localFilesOnly' : offline,
    metadataTimeoutMs: readSeconds('HF_HUB_ETAG_TIMEOUT', read('HF_HUB_ETAG_TIMEOUT')),
    downloadTimeoutMs: readSeconds('HF_HUB_DOWNLOAD_TIMEOUT', read('HF_HUB_DOWNLOAD_TIMEOUT')),
    symlinks: !isSet('HF_HUB_DISABLE_SYMLINKS'),
  };
}

async function findToken(read: (...names: string[]) => string | undefined, home: string): Promise<string | undefined> {
  const given = read('HF_TOKEN', 'HUGGING_FACE_HUB_TOKEN', 'HF_ACCESS_TOKEN');
  if (given !== undefined) return given.trim() || undefined;
  const file = expandHome(read('HF_TOKEN_PATH') ?? path.join(home, 'token'));
  try {
    return (await readFile(file, 'utf8')).trim() || undefined;
  } catch (error) {
    if (isMissing(error)) return undefined;
    throw ioError('read the access token that HF_TOKEN_PATH or HF_HOME points to', error);
  }
}

function readEndpoint(value: string, name: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.search !== '' || url.hash !== '' || url.username !== '') {
    throw unexpected('INVALID_OPTION', `an http or https address for ${name}`, JSON.stringify(value));
  }
  return value.replace(/\/+$/, '');
}

function readSeconds(name: string, value: string | undefined): number {
  const seconds = value === undefined ? kTimeoutS : Number(value);
  if (seconds > 0 && seconds <= 86_400) return seconds * 1000;
  throw unexpected('INVALID_OPTION', `seconds, more than 0, for ${name}`, JSON.stringify(value));
}
