import { types } from 'node:util';
import { unexpected, wrongArgument } from '../expected.js';
import { isFloatArray } from '../realms.js';
import { componentsOf, type FloatArray, isVectorList, lengthError, type VectorLike, type VectorMatrix } from './vector-like.js';

/** Vectors of one length, read a block at a time: rows that are not asked for are not looked at. */
export interface Rows {
  readonly count: number;
  /** Numbers in a vector; 0 when there are none. */
  readonly width: number;
  /** Rows `begin` to `end` [end - begin, width], good until the next block is read or anything else runs. Errors: INVALID_ARG. */
  block(begin: number, end: number): FloatArray;
}

/**
 * The rows of a list or a matrix. `name` is what errors call them.
 *
 * Errors: INVALID_ARG, here and when a block is read.
 */
export function toRows(vectors: readonly VectorLike[] | VectorMatrix, name: string): Rows {
  return isVectorList(vectors) ? listRows(vectors, name) : matrixRows(vectors, name);
}

function listRows(list: readonly VectorLike[], name: string): Rows {
  const width = list.length === 0 ? 0 : componentsOf(list[0], `${name} at index 0`).length;
  if (list.length > 0 && width === 0) throw unexpected('INVALID_ARG', `numbers for ${name} at index 0`, 'none');
  let memory = new Float32Array(0);
  return {
    count: list.length,
    width,
    block(begin, end) {
      const numbers = (end - begin) * width;
      if (memory.length < numbers) memory = new Float32Array(numbers);
      let rows: FloatArray = memory.subarray(0, numbers);
      for (let i = begin; i < end; i++) {
        const row = componentsOf(list[i], `${name} at index ${i}`);
        if (row.length !== width) throw lengthError(`${name} at index ${i}`, width, row.length);
        // One number of float64 makes the block float64: scores are the same either way.
        if (!types.isFloat32Array(row) && types.isFloat32Array(rows)) rows = Float64Array.from(rows);
        rows.set(row, (i - begin) * width);
      }
      return rows;
    },
  };
}

function matrixRows(matrix: VectorMatrix, name: string): Rows {
  const { data, dimensions } = (matrix ?? {}) as Partial<VectorMatrix>;
  if (
    !isFloatArray(data) ||
    dimensions === undefined ||
    !Number.isInteger(dimensions) ||
    dimensions < 1 ||
    data.length % dimensions !== 0
  ) {
    throw wrongArgument(`a list of vectors, or data and dimensions, for ${name}`, matrix);
  }
  const { length } = data;
  return {
    count: length / dimensions,
    width: dimensions,
    block(begin, end) {
      if (data.length !== length) {
        throw unexpected(
          'INVALID_ARG',
          `the ${length} numbers that ${name} had at the call`,
          `${data.length}: the array was transferred or resized meanwhile`,
        );
      }
      return data.subarray(begin * dimensions, end * dimensions);
    },
  };
}
