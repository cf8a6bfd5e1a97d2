import { wrongArgument } from '../../expected.js';
import { loadAddon } from '../addon.js';

/**
 * Sets how many bytes the texts being generated may take together, all models and threads, for the keys and values of their
 * hypotheses. 1 GiB at first. A text's share is reserved before it starts: one that does not fit waits, one that never can fails with
 * INPUT_TOO_LARGE.
 *
 * Errors: INVALID_ARG, ADDON_LOAD.
 */
export function setMaxStateBytes(bytes: number): void {
  if (!Number.isSafeInteger(bytes) || bytes < 1 || bytes > 2 ** 50) {
    throw wrongArgument('a whole number of bytes from 1 to 2^50 for setMaxStateBytes', bytes);
  }
  loadAddon().setMaxStateBytes(bytes);
}
