import { loadAddon } from '../addon.js';
import { toBerthaError } from '../native-error.js';
import { onAbort } from '../abort.js';
import type { NativeModel } from '../native.js';
import type { NativeGenerated, NativeText } from './native-generation.js';

/** What goes with a text. */
export interface GenerateOptions {
  readonly signal?: AbortSignal | undefined;
  /** Takes the new ids of each sequence while they come, in groups; `stop` ends a sequence with its next step. Not called with beams. */
  readonly onIds?: ((ids: readonly (readonly number[])[], stop: (sequence: number) => void) => void) | undefined;
}

/**
 * Generates one text on native threads.
 *
 * Errors: those of the addon; with an aborted signal, its reason; what `onIds` throws.
 */
export async function generateText(
  native: NativeModel,
  id: number,
  text: NativeText,
  { signal, onIds }: GenerateOptions,
): Promise<NativeGenerated> {
  signal?.throwIfAborted();
  const unwatch = signal === undefined ? undefined : onAbort(signal, () => native.cancel(id));
  let thrown: { readonly error: unknown } | undefined;
  const stop = (sequence: number): void => loadAddon().stopSequence(id, sequence);
  const take = (ids: readonly (readonly number[])[]): void => {
    if (thrown !== undefined || signal?.aborted === true) return;
    try {
      onIds?.(ids, stop);
    } catch (error) {
      thrown = { error };
      native.cancel(id);
    }
  };
  try {
    const generated = await native.generate(text, id, onIds && take);
    signal?.throwIfAborted();
    if (thrown === undefined) return generated;
  } catch (failure) {
    signal?.throwIfAborted();
    if (thrown === undefined) throw toBerthaError(failure);
  } finally {
    unwatch?.();
  }
  throw thrown.error;
}
