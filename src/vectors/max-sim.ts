import { wrongArgument, unexpected } from '../expected.js';
import { loadAddon } from '../runtime/addon.js';
import { callNative, toBerthaError } from '../runtime/native-error.js';

/** Several vectors of one text: `data` [rows, width], row-major, `dims` = [rows, width]. */
export interface VectorRowsOf {
  readonly data: Float32Array;
  readonly dims: readonly [number, number];
}

/** Numbers that are copied in one turn of the event loop: 1 MB. */
const kBlockNumbers = 1 << 18;

/**
 * MaxSim, as ColBERT compares a query with documents: the sum over the query's vectors of the largest product with one of the document's. One score for
 * each document; float64 sums on the pool, the same on every processor.
 *
 * Errors: INVALID_ARG (rows without numbers, other widths), ADDON_LOAD, OUT_OF_MEMORY.
 *
 * @example
 * const query = await embedder.embedTokens('how do cats sleep?', { as: 'query' });
 * const scores = await maxSim(query, await embedder.embedTokens(documents, { as: 'document' }));
 */
export async function maxSim(query: VectorRowsOf, documents: readonly VectorRowsOf[]): Promise<Float64Array> {
  check(query, 'the query of maxSim', undefined);
  const [, width] = query.dims;
  documents.forEach((each, i) => check(each, `document ${i} of maxSim`, width));
  const { vectors } = loadAddon();
  const scores = new Float64Array(documents.length);
  for (let first = 0; first < documents.length;) {
    let end = first;
    let numbers = 0;
    while (end < documents.length && (end === first || numbers + documents[end]!.data.length <= kBlockNumbers)) {
      numbers += documents[end++]!.data.length;
    }
    const rows = new Float32Array(numbers);
    const offsets = new Int32Array(end - first + 1);
    for (let i = first, at = 0; i < end; at += documents[i++]!.data.length) {
      rows.set(documents[i]!.data, at);
      offsets[i - first + 1] = (at + documents[i]!.data.length) / width;
    }
    try {
      scores.set(await callNative(() => vectors.maxSim(query.data, width, rows, offsets)), first);
    } catch (error) {
      throw toBerthaError(error);
    }
    first = end;
  }
  return scores;
}

function check(rows: VectorRowsOf, name: string, width: number | undefined): void {
  const [count, columns] = (rows as Partial<VectorRowsOf> | undefined)?.dims ?? [];
  if (count === undefined || columns === undefined) throw wrongArgument(`an object with data and dims for ${name}`, rows);
  if (count < 1 || columns < 1 || rows.data.length !== count * columns || (width !== undefined && columns !== width)) {
    throw unexpected('INVALID_ARG', `at least one row of ${width ?? 'equal'} numbers for ${name}`, `[${count}, ${columns}]`);
  }
}
