/** A vector of which few numbers are not 0. */
export interface SparseVector {
  /** Where they stand, rising. */
  readonly indices: Uint32Array;
  /** The numbers there, as many. */
  readonly values: Float32Array;
}

/** The numbers of a row above or below 0, or the `most` largest of them (of equal ones the first), in the order of their places. */
export function strongest(row: Float32Array, most = Infinity): SparseVector {
  let count = 0;
  for (let i = 0; i < row.length; i++) if (row[i] !== 0) count++;
  let indices = new Uint32Array(count);
  count = 0;
  for (let i = 0; i < row.length; i++) if (row[i] !== 0) indices[count++] = i;
  if (count > most)
    indices = indices
      .sort((a, b) => row[b]! - row[a]! || a - b)
      .slice(0, most)
      .sort();
  return { indices, values: Float32Array.from(indices, (i) => row[i]!) };
}

/**
 * The product of two sparse vectors, a float64 sum over the places that both have: what sentence-transformers compares them by.
 *
 * @example
 * const [query] = await embedder.embedSparse(['how do cats sleep?'], { as: 'query' });
 * const scores = (await embedder.embedSparse(documents)).map((each) => sparseDot(query, each));
 */
export function sparseDot(a: SparseVector, b: SparseVector): number {
  let sum = 0;
  for (let i = 0, j = 0; i < a.indices.length && j < b.indices.length;) {
    const [left, right] = [a.indices[i]!, b.indices[j]!];
    if (left === right) sum += a.values[i++]! * b.values[j++]!;
    else if (left < right) i++;
    else j++;
  }
  return sum;
}
