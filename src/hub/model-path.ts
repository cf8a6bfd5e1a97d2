import { received, unexpected } from '../expected.js';
import { expandPath, isFileUrl, isUrl, type FilePath } from '../file-path.js';
import { errorMessage } from '../realms.js';

/**
 * Where a model is: a directory, also as a `file:` URL (a `URL` or its text) or below the home folder (`~/models/mine`), or an id on the
 * Hub such as `sentence-transformers/all-MiniLM-L6-v2`.
 */
export type ModelPath = FilePath;

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
  try {
    return expandPath(name);
  } catch (error) {
    const got = `${received(name)}: ${errorMessage(error)}`;
    throw unexpected(code, `the file URL of a model directory for ${caller}`, got, { cause: error });
  }
}
