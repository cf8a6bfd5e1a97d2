import { loadAddon } from '../runtime/addon.js';
import type { NativeWords } from '../runtime/words/native-words.js';
import { onAbort } from '../runtime/abort.js';
import { callNative, toBerthaError } from '../runtime/native-error.js';

/** The addon's functions of word vectors. Errors: ADDON_LOAD. */
export function nativeWords(): NativeWords {
  return loadAddon().words;
}

/**
 * Waits for native work that `stop` ends early. Errors: those of the addon, as BerthaErrors; the signal's reason.
 */
export async function untilAborted<T>(signal: AbortSignal | undefined, stop: () => void, start: () => Promise<T>): Promise<T> {
  signal?.throwIfAborted();
  const end = signal === undefined ? undefined : onAbort(signal, stop);
  try {
    return await callNative(start);
  } catch (error) {
    signal?.throwIfAborted();
    throw toBerthaError(error);
  } finally {
    end?.();
  }
}
