import { homedir } from 'node:os';
import { isAbsolute, join, resolve } from 'node:path';
import { wrongOption } from '../../expected.js';
import type { Check } from '../../options.js';
import { readFilePath, type FilePath } from '../../file-path.js';
import type { NativeWeightCache } from '../native.js';

/** `true`: in the user's cache folder; a directory (a path, `~` being the home folder, or a file URL): there; `false`: not at all. */
export type WeightCacheOption = boolean | FilePath;

/** What the cache of packed weights did for a model. */
export interface WeightCacheReport {
  /**
   * `hit`: the weights are mapped from the file, shared with other processes. `stored`: they were packed, and written for later loads.
   * `failed`: they were packed and could not be written. `unused`: the weights were in memory already, the checkpoint was changed just
   * now, or the device has no such cache.
   */
  readonly outcome: 'hit' | 'stored' | 'failed' | 'unused';
  readonly path?: string;
  /** Why a file was not used or not written; a process warning says so too. */
  readonly problem?: string;
}

/** The check of the option `weightCache`. */
export const parseWeightCache: Check<boolean | string> = (value, name) => {
  if (typeof value === 'boolean') return value;
  const directory = readFilePath(value);
  if (directory !== undefined && directory !== '') return directory;
  throw wrongOption(`true, false or a directory for ${name}`, value);
};

/** Where packed weights are kept unless a directory is named: `bertha` in XDG_CACHE_HOME, or in ~/.cache. */
export function defaultWeightCache(): string {
  const xdg = process.env['XDG_CACHE_HOME'];
  return join(xdg !== undefined && isAbsolute(xdg) ? xdg : join(homedir(), '.cache'), 'bertha');
}

/** The directory to use, or undefined for none: the option, else BERTHA_WEIGHT_CACHE (1, or a directory). */
export function weightCacheDirectory(option?: WeightCacheOption): string | undefined {
  const asked = String(option ?? process.env['BERTHA_WEIGHT_CACHE'] ?? '');
  if (['', '0', 'false'].includes(asked)) return undefined;
  return ['1', 'true'].includes(asked) ? defaultWeightCache() : resolve(readFilePath(asked) ?? asked);
}

/** The addon's report, with a process warning where something was wrong. */
export function reportWeightCache(native: NativeWeightCache | undefined): WeightCacheReport {
  if (native === undefined || native.outcome === 'unused') return { outcome: 'unused' };
  const { outcome, path, problem } = native;
  if (problem === '') return { outcome, path };
  const done = outcome === 'stored' ? 'it has been made anew' : 'the weights were packed anew';
  const warning = `The cached weights ${JSON.stringify(path)}: the file ${problem}; ${done}.`;
  process.emitWarning(warning, { code: 'BERTHA_WEIGHT_CACHE' });
  return { outcome, path, problem };
}
