import { resolve } from 'node:path';
import { wrongOption } from '../expected.js';
import { filePath, readFilePath, type FilePath } from '../file-path.js';
import { readOptions, type Check } from '../options.js';

/** Where files are that Bertha would otherwise look for in the installed packages. */
export interface Locations {
  /** The native addon, `bertha.node`: a path (`~` is the home folder) or a file URL. It goes before the environment variable BERTHA_ADDON. */
  readonly addon?: FilePath | undefined;
  /** The folder of the default model: a path (`~` is the home folder) or a file URL. It goes before BERTHA_MODEL_DIR. */
  readonly modelDirectory?: FilePath | undefined;
}

const fileLocation: Check<string> = (value, name) => {
  const path = filePath(value, name);
  if (path === '' || /^[a-z][a-z+.-]+:/i.test(path)) throw wrongOption(`a path or a file URL for ${name}`, value);
  return resolve(path);
};
const schema = { addon: fileLocation, modelDirectory: fileLocation };
const variables = { addon: 'BERTHA_ADDON', modelDirectory: 'BERTHA_MODEL_DIR' } as const;

let configured: { readonly addon?: string; readonly modelDirectory?: string } = {};

/**
 * Says where the native addon and the default model are, for programs that bring these files along: bundles, single-file executables.
 * Call it before the first model is loaded; an addon that is loaded stays. What a call does not name is looked for as usual.
 *
 * Errors: INVALID_OPTION. Whether the files are there shows at the first load: ADDON_LOAD, MODEL_NOT_FOUND.
 *
 * @example
 * configure({ addon: new URL('./bertha.node', import.meta.url), modelDirectory: './models/all-MiniLM-L6-v2' });
 */
export function configure(locations: Locations): void {
  configured = readOptions('configure', locations, schema);
}

/** A location that was set by hand, and the name of what set it: `configure`, else an environment variable. */
export function setLocation(kind: keyof typeof schema): { readonly path: string; readonly setBy: string } | undefined {
  const path = configured[kind];
  if (path !== undefined) return { path, setBy: `the option ${kind} of configure` };
  const value = process.env[variables[kind]];
  return value ? { path: resolve(readFilePath(value) ?? value), setBy: variables[kind] } : undefined;
}
