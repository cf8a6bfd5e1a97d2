/**
 * Maps a stream with up to `concurrency` items in work at once and yields the results in the order of the items, each as soon as it is
 * ready: a result does not wait for the next item to arrive.
 */
export async function* mapInOrder<T, R>(items: AsyncIterable<T>, map: (item: T) => Promise<R>, concurrency: number): AsyncGenerator<R> {
  const iterator = items[Symbol.asyncIterator]();
  const working: Promise<R>[] = [];
  let arrival: Promise<IteratorResult<T, unknown>> | undefined = iterator.next();
  try {
    while (arrival !== undefined || working.length > 0) {
      const first = working[0];
      const mayTake = arrival !== undefined && working.length < concurrency;
      const ready: 'item' | 'result' = await Promise.race([
        ...(first === undefined ? [] : [first.then(() => 'result' as const)]),
        ...(mayTake ? [arrival!.then(() => 'item' as const)] : []),
      ]);
      if (ready === 'result') {
        yield await working.shift()!;
        continue;
      }
      const { done, value } = await arrival!;
      if (done === true) {
        arrival = undefined;
        continue;
      }
      const work = map(value);
      // Its failure is met when its turn comes.
      work.catch(() => undefined);
      working.push(work);
      arrival = iterator.next();
      arrival.catch(() => undefined);
    }
  } finally {
    await Promise.allSettled(working);
    // An iterator that still waits for input cannot be asked to return: that would wait as well.
    if (arrival === undefined) await iterator.return?.();
  }
}
