import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { wrongOption } from './expected.js';
import type { Check } from './options.js';

/** Where a file or folder is: a path, also below the home folder (`~/vectors.npy`), or a file URL (a `URL` or its text). */
export type FilePath = string | URL;

/** A URL, by its tag, so that those of another realm count. */
export function isUrl(value: unknown): value is URL {
  return Object.prototype.toString.call(value) === '[object URL]' && typeof (value as URL).href === 'string';
}

/** Whether text is a file URL. */
export function isFileUrl(name: string): boolean {
  return /^file:/i.test(name);
}

/** A path with the home folder for a `~` that stands alone or before a separator at its beginning. */
export function expandHome(name: string): string {
  return /^~(?:[/\\]|$)/.test(name) ? join(homedir(), name.slice(1)) : name;
}

/** The path that text means: a file URL's, one below the home folder, or the text as it is. Throws for a file URL that names no file here. */
export function expandPath(name: string): string {
  return isFileUrl(name) ? fileURLToPath(name) : expandHome(name);
}

/** The path that a `FilePath` means, or undefined for what is none. */
export function readFilePath(value: unknown): string | undefined {
  const name = isUrl(value) ? value.href : value;
  if (typeof name !== 'string' || (isUrl(value) && !isFileUrl(name))) return undefined;
  try {
    return expandPath(name);
  } catch {
    return undefined;
  }
}

/** A check for a `FilePath`; it returns the path that is meant. */
export const filePath: Check<string> = (value, name) => {
  const path = readFilePath(value);
  if (path === undefined) throw wrongOption(`a path or a file URL for ${name}`, value);
  return path;
};
