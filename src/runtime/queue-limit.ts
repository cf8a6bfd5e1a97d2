import { wrongArgument } from '../expected.js';
import { loadAddon } from './addon.js';

/**
 * Sets how many tokens may wait in the process's queue, all models and threads together, before calls fail with QUEUE_FULL. 4,194,304
 * at first. A call that alone is larger is taken when nothing else waits.
 *
 * Errors: INVALID_ARG, ADDON_LOAD.
 */
export function setQueueLimit(tokens: number): void {
  if (!Number.isSafeInteger(tokens) || tokens < 1 || tokens > 2 ** 40) {
    throw wrongArgument('a whole number of tokens from 1 to 2^40 for setQueueLimit', tokens);
  }
  loadAddon().setQueueLimit(tokens);
}
