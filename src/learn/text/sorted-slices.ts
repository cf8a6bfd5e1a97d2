/** Items that are sorted or looked at between two looks at the clock: about a millisecond. */
export const kSlicePieces = 1 << 11;

/** The items in order, in slices; equal ones stay as they were: short runs are sorted, then merged in pairs. */
export function* sortedSlices<T>(items: readonly T[], compare: (a: T, b: T) => number): Generator<void, T[]> {
  let from = [...items];
  for (let begin = 0; begin < from.length; begin += kSlicePieces) {
    const run = from.slice(begin, begin + kSlicePieces).sort(compare);
    run.forEach((item, i) => (from[begin + i] = item));
    yield;
  }
  for (let width = kSlicePieces; width < from.length; width *= 2) {
    const to: T[] = [];
    for (let begin = 0; begin < from.length; begin += 2 * width) {
      const middle = Math.min(from.length, begin + width);
      const end = Math.min(from.length, begin + 2 * width);
      let [left, right] = [begin, middle];
      while (left < middle || right < end) {
        const isLeft = right === end || (left < middle && compare(from[left]!, from[right]!) <= 0);
        to.push(from[isLeft ? left++ : right++]!);
        if (to.length % kSlicePieces === 0) yield;
      }
    }
    from = to;
  }
  return from;
}
