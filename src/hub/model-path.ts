import { homedir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { received, unexpected } from '../expected.js';
import { errorMessage } from '../realms.js';

/**
 * Where a model is: a directory, also as a `file:` URL (a `URL` or its text) or below the home folder (`~/models/mine`), or an id on the
 * Hub such as `sentence-transformers/all-MiniLM-L6-v2`.
 */
export type ModelPath = string | URL;

type Code = 'INVALID_ARG' | 'INVALID_OPTION';

/**
 * The path that a `ModelPath` means, or the id as it is. `caller` is the function, or option, whose model it is.
 *
 * Errors: `code` (neither a string nor a URL, or a URL that is no file's).
 */
export function readModelPath(model: unknown, caller: string, code: Code = 'INVALID_ARG'): string {
  const name = isUrl(model) ? model.href : model;
  if (typeof name !== 'string' || (isUrl(model) && !isFileUrl(name))) {
    throw unexpected(code, `a model directory, a file URL or an id for ${caller}`, received(model));
  }
  if (isFileUrl(name)) return fromFileUrl(name, caller, code);
  return /^~(?:[/\\]|$)/.test(name) ? path.join(homedir(), name.slice(1)) : name;
}

function isFileUrl(name: string): boolean {
  return /^file:/i.test(name);
}

/** By its tag, so that URLs of another realm count. */
function isUrl(value: unknown): value is URL {
  return Object.prototype.toString.call(value) === '[object URL]' && typeof (value as URL).href === 'string';
}

function fromFileUrl(url: string, caller: string, code: Code): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    const got = `${received(url)}: ${errorMessage(error)}`;
    throw unexpected(code, `the file URL of a model directory for ${caller}`, got, { cause: error });
  }
}
