import path from 'node:path';
import { quote, quotePath } from '../../checkpoint/describe.js';
import { isDirectory } from '../../checkpoint/exists.js';
import { unexpected } from '../../expected.js';
import { readFilePath } from '../../file-path.js';
import type { HubOptions } from '../../hub/index.js';
import { isPathLike } from '../../hub/repository.js';
import { version } from '../../version.js';
import { muteWarnings, warnOnce } from '../../runtime/warn-once.js';

/** Where `pipeline` and the classes' `from_pretrained` look for models, as transformers.js's `env`. */
export interface Environment {
  readonly version: string;
  /** Whether models may be downloaded; false is `local_files_only` everywhere. Default true. */
  allowRemoteModels: boolean;
  /** Address of the Hub. Default: `HF_ENDPOINT`, else `https://huggingface.co`. */
  remoteHost: string | null;
  /** Whether directories are taken. Default true. */
  allowLocalModels: boolean;
  /** A directory in which models are looked for by their id, before the Hub. Default `''`, none. */
  localModelPath: string;
  /** The Hub's cache. Default: as `loadModel`'s `cacheDir`. */
  cacheDir: string | null;
  /** Without effect, with a warning where they ask for something else: the Hub's paths and its cache are always used. */
  remotePathTemplate: string;
  useFS: boolean;
  useFSCache: boolean;
  useCustomCache: boolean;
  customCache: unknown;
  /** Above `LogLevel.WARNING`, the default, warnings about options, devices, formats and models are not said. */
  logLevel: number;
  /** Without effect: there is no browser and no ONNX runtime. */
  useBrowserCache: boolean;
  useWasmCache: boolean;
  cacheKey: string;
  experimental_useCrossOriginStorage: boolean;
  /** Without effect, with a warning where it is another than Node's. */
  fetch: typeof globalThis.fetch;
  readonly backends: { readonly onnx: Record<string, unknown> };
}

/** Levels for `env.logLevel`, as transformers.js numbers them. */
export const LogLevel = { DEBUG: 10, INFO: 20, WARNING: 30, ERROR: 40, NONE: 50 } as const;

const kPathTemplate = '{model}/resolve/{revision}/';

const kFetch = globalThis.fetch;
let logLevel: number = LogLevel.WARNING;

/** Settings of the process for `pipeline` and `from_pretrained`; options of a call go first. */
export const env: Environment = {
  version,
  allowRemoteModels: true,
  remoteHost: null,
  allowLocalModels: true,
  localModelPath: '',
  cacheDir: null,
  remotePathTemplate: kPathTemplate,
  useFS: true,
  useFSCache: true,
  useCustomCache: false,
  customCache: null,
  useBrowserCache: false,
  useWasmCache: false,
  get logLevel() {
    return logLevel;
  },
  set logLevel(level) {
    logLevel = level;
    muteWarnings(level > LogLevel.WARNING);
  },
  cacheKey: 'transformers-cache',
  experimental_useCrossOriginStorage: false,
  fetch: kFetch,
  backends: { onnx: { wasm: {} } },
};

/** The options of a call with what `env` says for those that were not given. */
export function withEnvironment<T extends HubOptions>(options: T): T {
  const ignored = {
    remotePathTemplate: env.remotePathTemplate !== kPathTemplate,
    useFS: !env.useFS,
    useFSCache: !env.useFSCache,
    useCustomCache: env.useCustomCache,
    fetch: env.fetch !== kFetch,
  };
  for (const [name, isIgnored] of Object.entries(ignored)) {
    if (isIgnored) warnOnce('BERTHA_OPTION', `env.${name}`, `env.${name} has no effect: models come from the Hub's own paths and cache.`);
  }
  return {
    ...(env.cacheDir === null ? {} : { cacheDir: env.cacheDir }),
    ...(env.remoteHost === null ? {} : { endpoint: env.remoteHost }),
    ...options,
    ...(env.allowRemoteModels ? {} : { localFilesOnly: true }),
  };
}

/**
 * The directory that a name stands for: in `env.localModelPath`, or the name itself; undefined for an id.
 *
 * Errors: INVALID_ARG for a directory where `env.allowLocalModels` is false.
 */
export async function findLocalModel(model: string): Promise<string | undefined> {
  const folder = readFilePath(env.localModelPath) ?? env.localModelPath;
  const inFolder = folder === '' || path.isAbsolute(model) ? undefined : path.join(folder, model);
  if (env.allowLocalModels && inFolder !== undefined && (await isDirectory(inFolder))) return inFolder;
  if (!isPathLike(model) && !(await isDirectory(model))) return undefined;
  if (env.allowLocalModels) return model;
  throw unexpected(
    'INVALID_ARG',
    `an id on the Hub such as ${quote('sentence-transformers/all-MiniLM-L6-v2')} for the model`,
    `the path ${quotePath(model)}, which env.allowLocalModels forbids`,
  );
}
