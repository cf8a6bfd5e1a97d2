import { onAbort } from '../../runtime/abort.js';

/**
 * The items of an iterable until the signal is aborted, also while an item is waited for: a stream that says nothing more, such as standard
 * input, would keep everything waiting. Errors: the signal's reason, what the iterable throws.
 */
export async function* abortable<T>(items: AsyncIterable<T> | Iterable<T>, signal: AbortSignal | undefined): AsyncGenerator<T> {
  const iterator = isAsync(items) ? items[Symbol.asyncIterator]() : items[Symbol.iterator]();
  let isDone = false;
  let refuse: (() => void) | undefined;
  const end = signal === undefined ? undefined : onAbort(signal, () => refuse?.());
  try {
    for (;;) {
      signal?.throwIfAborted();
      const next = await new Promise<IteratorResult<T>>((resolve, reject) => {
        refuse = () => reject(signal!.reason as Error);
        Promise.resolve(iterator.next()).then(resolve, reject);
      });
      if (next.done === true) {
        isDone = true;
        return;
      }
      yield next.value;
    }
  } catch (error) {
    isDone = signal?.aborted !== true;
    throw error;
  } finally {
    end?.();
    // What waits for its next item ends when it comes: nobody waits for that.
    if (!isDone) void Promise.resolve(iterator.return?.()).catch(() => undefined);
  }
}

function isAsync<T>(items: AsyncIterable<T> | Iterable<T>): items is AsyncIterable<T> {
  return Symbol.asyncIterator in items;
}
