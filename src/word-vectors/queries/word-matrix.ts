import { unexpected } from '../../expected.js';
import type { NativeWordVectors } from '../../runtime/words/native-words.js';
import { nativeWords } from '../native-words.js';

/** Words spelled like an unknown one that its error names. */
const kSpellings = 3;

/** Words with their vectors in native memory: a word becomes a string, and a row an array, when it is asked for. */
export class WordMatrix {
  readonly size: number;
  readonly dimensions: number;
  readonly isFastText: boolean;

  constructor(readonly handle: NativeWordVectors) {
    ({ size: this.size, dimensions: this.dimensions, isFastText: this.isFastText } = nativeWords().vectorsInfo(handle));
  }

  /** Bytes of native memory. */
  get bytes(): number {
    return nativeWords().vectorsInfo(this.handle).bytes;
  }

  /** The number of a word, -1 for one that is not there. */
  indexOf(word: string): number {
    return nativeWords().indexOf(this.handle, word);
  }

  /** Words `begin` to `end`. */
  words(begin: number, end: number): string[] {
    return nativeWords().words(this.handle, begin, end);
  }

  /** How often a word was seen; 0 where nobody said. */
  count(row: number): number {
    return nativeWords().count(this.handle, row);
  }

  /** A copy, [dimensions]. */
  row(row: number): Float32Array {
    return nativeWords().row(this.handle, row);
  }

  /** A copy of rows `begin` to `end`, [end - begin, dimensions]. */
  rows(begin: number, end: number): Float32Array {
    return nativeWords().rows(this.handle, begin, end);
  }

  /** The vector of a word, of a fastText model also of one that was never seen; undefined where there is none. */
  vector(word: string): Float32Array | undefined {
    const row = this.indexOf(word);
    if (row >= 0) return this.row(row);
    return this.isFastText ? nativeWords().compose(this.handle, word) : undefined;
  }

  /** The same of a word that a query needs. Errors: UNKNOWN_WORD. */
  known(word: string): Float32Array {
    const vector = this.vector(word);
    if (vector === undefined) throw this.unknown(word);
    return vector;
  }

  /** The error for a word that is not there. */
  unknown(word: string): Error {
    const near = nativeWords().nearestSpellings(this.handle, word, kSpellings);
    const hint = near.length === 0 ? undefined : `Spelled like it: ${near.map((each) => JSON.stringify(each)).join(', ')}.`;
    return unexpected('UNKNOWN_WORD', `one of the ${this.size} words`, JSON.stringify(word.slice(0, 100)), { hint });
  }

  /** The error for a list without a known word. */
  noneKnown(words: readonly string[]): Error {
    if (words.length > 0) return this.unknown(words[0]!);
    return unexpected('INVALID_ARG', 'at least one word', 'none');
  }
}

/** A vector scaled to length 1, in float64; zeros stay zeros. */
export function unitOf(vector: ArrayLike<number>): Float64Array {
  const unit = Float64Array.from(vector);
  let squares = 0;
  for (const value of unit) squares += value * value;
  if (squares === 0) return unit;
  const scale = 1 / Math.sqrt(squares);
  for (let i = 0; i < unit.length; i++) unit[i]! *= scale;
  return unit;
}

/** The weighted sum of vectors, in float64. */
export function weightedSum(vectors: readonly ArrayLike<number>[], weights: readonly number[], dimensions: number): Float64Array {
  const sum = new Float64Array(dimensions);
  vectors.forEach((vector, i) => {
    for (let z = 0; z < dimensions; z++) sum[z]! += weights[i]! * vector[z]!;
  });
  return sum;
}
