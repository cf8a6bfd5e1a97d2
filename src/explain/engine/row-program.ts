import type { WeightSpec } from '../../models/program/program.js';
import { toNativeProgram } from '../../models/program/native-program.js';
import type { Program, Value } from '../../models/program/program.js';
import { unexpected } from '../../expected.js';
import type { NativeOp, NativeTrainingProgram } from '../../runtime/native.js';
import { neededOps } from '../../training/program/needed-ops.js';

type EmbedOp = Extract<NativeOp, { readonly op: 'embed' }>;

/** A program that reads its tokens' rows of the word table from a weight of its own, so that the gradient of that weight is the gradient of the rows. */
export interface RowProgram {
  readonly native: NativeTrainingProgram;
  readonly value: Value;
  /** The word table, and the table that stands in its place, as weights; their columns. */
  readonly words: number;
  readonly rows: number;
  readonly width: number;
  /** The first row of the table that is used: the one before belongs to tokens that positions do not count. */
  readonly firstRow: number;
  readonly weights: readonly WeightSpec[];
  /** Numbers of the matrices that lead to the value: multiplications of a token. */
  readonly products: number;
}

/**
 * Turns the program of an inference model into one that learns `capacity` rows in the place of the word table, from a gradient of `value` that comes with
 * each batch. Nothing else learns, so that no other gradient is computed.
 *
 * Errors: NO_GRADIENT where not exactly one lookup leads to the value.
 */
export function rowProgram(program: Program, value: Value, capacity: number): RowProgram {
  const gradient = program.inputs.length;
  const loss = program.values.length;
  const given: NativeOp = { op: 'given', value: value.id, gradient, output: loss };
  const needed = neededOps([...program.ops, given], program.ops.length);
  const lookups = needed.filter((op): op is EmbedOp => op.op === 'embed');
  const [lookup] = lookups;
  if (lookup === undefined || lookups.length > 1) {
    throw unexpected('NO_GRADIENT', 'a program with one lookup of words', `one with ${lookups.length}`, {
      hint: 'Use method "occlusion".',
    });
  }
  const width = program.weights[lookup.word]!.cols;
  const firstRow = lookup.paddingId === undefined ? 0 : lookup.paddingId + 1;
  const rows = program.weights.length;
  const native = toNativeProgram({ ...program, ops: needed.map((op) => (op === lookup ? { ...lookup, word: rows } : op)) });
  return {
    native: {
      ...native,
      inputs: [
        ...native.inputs.map((input, i) => (i === lookup.ids ? { ...input, limit: firstRow + capacity } : input)),
        { name: 'gradient', rows: value.rows, width: value.width, dtype: 'float32', required: true },
      ],
      values: [...native.values, { rows: value.rows, width: value.width }],
      weights: [...native.weights, { name: 'rows', kind: 'table', rows: firstRow + capacity, cols: width, parts: [] }],
      training: {
        weights: [...native.weights.map(() => ({ trainable: false, decay: false })), { trainable: true, decay: false }],
        sequencesPerGroup: 1,
      },
    },
    value,
    words: lookup.word,
    rows,
    width,
    firstRow,
    weights: program.weights,
    products: needed.reduce((sum, op) => {
      const matrix = op.op === 'linear' ? program.weights[op.matrix] : undefined;
      return sum + (matrix === undefined ? 0 : matrix.rows * matrix.cols);
    }, 0),
  };
}
