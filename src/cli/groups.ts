/** Gathers what a stream has ready into lists of up to `most` items, so that each can be handled in one go. Never waits for an item to fill a list. */
export async function* readyGroups<T>(items: AsyncGenerator<T, void, undefined>, most: number): AsyncGenerator<T[]> {
  try {
    let arrival = items.next();
    for (let group: T[] = []; ;) {
      const { done, value } = await arrival;
      if (done === true) {
        if (group.length > 0) yield group;
        return;
      }
      group.push(value);
      arrival = items.next();
      if (group.length < most && (await isReady(arrival))) continue;
      // Its failure is met when the loop comes back for it.
      arrival.catch(() => undefined);
      yield group;
      group = [];
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
