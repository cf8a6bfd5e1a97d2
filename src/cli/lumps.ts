/** Gathers what a stream has ready into lists of up to `most` items, so that each can be handled in one go. Never waits for an item to fill a list. */
export async function* lumps<T>(items: AsyncGenerator<T, void, undefined>, most: number): AsyncGenerator<T[]> {
  try {
    let arrival = items.next();
    for (let lump: T[] = []; ;) {
      const { done, value } = await arrival;
      if (done === true) {
        if (lump.length > 0) yield lump;
        return;
      }
      lump.push(value);
      arrival = items.next();
      if (lump.length < most && (await isReady(arrival))) continue;
      // Its failure is met when the loop comes back for it.
      arrival.catch(() => undefined);
      yield lump;
      lump = [];
    }
  } finally {
    await items.return();
  }
}

/** Whether a promise is settled by now, or by what is about to happen anyway. */
async function isReady(promise: Promise<unknown>): Promise<boolean> {
  const later = new Promise<false>((resolve) => setImmediate(resolve, false));
  return Promise.race([
    promise.then(
      () => true,
      () => false,
    ),
    later,
  ]);
}
