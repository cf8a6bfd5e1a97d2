import { inSlices } from '../../calls/text-reader.js';
import { unexpected } from '../../expected.js';
import { buildModel, openSource, type Model, type Value } from '../../models/index.js';
import { ProgramBuilder, type Program, type WeightSpec } from '../../models/program/program.js';
import { Budget } from '../../runtime/event-loop-budget.js';
import type { NativeOp } from '../../runtime/native.js';
import { RowEngine } from '../engine/row-engine.js';
import { rowProgram } from '../engine/row-program.js';

/** What the heads of a layer hand on: where their values are among the columns of a value of the program, and what these are multiplied by. */
export interface HeadOutputs {
  readonly value: Value;
  readonly firstColumn: number;
  /** [outputs, heads · columns of a head] */
  readonly matrix: Float32Array;
}

type OpOf<Name extends NativeOp['op']> = Extract<NativeOp, { readonly op: Name }>;

/**
 * The matrices behind the heads of layers, read from the model's files.
 *
 * Errors: NO_GRADIENT for a model whose weights are in no files, CONFIG_UNSUPPORTED where a layer's heads are followed by more than one product, those of
 * reading.
 */
export async function headOutputs(model: Model, layers: readonly number[]): Promise<HeadOutputs[]> {
  const { source } = model;
  if (source === undefined) {
    throw unexpected('NO_GRADIENT', 'a model that loadModel has read from files, for norms', 'one that training has changed');
  }
  const directory = await openSource(source);
  try {
    const { program } = buildModel(directory, source);
    const found = layers.map((layer) => productBehind(program, model.values.attentions[layer]!.id, layer));
    const matrices = await readMatrices(found.map(({ weight }) => weight));
    await directory.verifyUnchanged();
    return found.map(({ value, firstColumn }, i) => ({ value, firstColumn, matrix: matrices[i]! }));
  } finally {
    await directory.close();
  }
}

function productBehind({ ops, values, weights }: Program, scores: number, layer: number) {
  const attending = ops.find((op): op is OpOf<'attention'> => op.op === 'attention' && op.scores === scores)!;
  const behind = ops.filter((op): op is OpOf<'linear'> => op.op === 'linear' && op.input === attending.output);
  if (behind.length !== 1) {
    throw unexpected('CONFIG_UNSUPPORTED', `one product behind the heads of layer ${layer}, for norms`, `${behind.length}`, {
      hint: 'An adapter counts as one: load the model with merge: true.',
    });
  }
  const width = values[attending.output]!.width;
  return {
    value: values[attending.value ?? attending.query]!,
    firstColumn: attending.value === undefined ? 2 * width : 0,
    weight: weights[behind[0]!.matrix]!,
  };
}

/** Numbers of matrices, in float32 whatever the files have, as the engine reads them. */
async function readMatrices(specs: readonly WeightSpec[]): Promise<Float32Array[]> {
  const [{ cols, tensors }] = specs as readonly [WeightSpec];
  const b = new ProgramBuilder({ vocabSize: 1, typeVocabSize: 0, maxSeqLen: 1 });
  const rows = b.embed({ word: b.table({ ...tensors[0]!, name: 'rows', shape: [1, cols] }) });
  const matrices = specs.map((spec) => b.matrix(...spec.tensors));
  const product = b.linear(rows, { weight: matrices[0]! });
  const program = b.build();
  // A merged adapter stays with its matrix; nobody looks the placeholder's row up, and no file has it.
  const weights = program.weights.map((own, id) => specs[matrices.findIndex((matrix) => matrix.id === id)] ?? own);
  const { native, ...rest } = rowProgram({ ...program, weights }, product, 1);
  const withoutFile = { ...native, weights: native.weights.map((weight, id) => (id === 0 ? { ...weight, parts: [] } : weight)) };
  const engine = await RowEngine.load({ ...rest, native: withoutFile }, 1);
  try {
    return await Promise.all(matrices.map(({ id, rows: count }) => engine.read(id, count)));
  } finally {
    engine.dispose();
  }
}

/**
 * ‖α_ij · v_j · Wo_h‖ for each head (Kobayashi et al. 2020), [heads, tokens, tokens]: how much of token j a head adds to token i, instead of how much of
 * its attention token j gets. In float64, from weights [heads, tokens, tokens] and the tokens' rows of `value`.
 */
export async function weightedNorms(
  weights: Float32Array,
  rows: Float32Array,
  behind: HeadOutputs,
  numHeads: number,
  signal?: AbortSignal,
): Promise<Float32Array> {
  return inSlices(normSlices(weights, rows, behind, numHeads), new Budget(signal, 'bulk'));
}

function* normSlices(
  weights: Float32Array,
  rows: Float32Array,
  { value: { width }, firstColumn, matrix }: HeadOutputs,
  numHeads: number,
): Generator<void, Float32Array> {
  const tokens = rows.length / width;
  const hidden = firstColumn === 0 ? width : width / 3;
  const dim = hidden / numHeads;
  const norms = new Float32Array(weights.length);
  for (let head = 0; head < numHeads; head++) {
    const gram = yield* gramOf(matrix, hidden, head * dim, dim);
    for (let j = 0; j < tokens; j++) {
      const first = j * width + firstColumn + head * dim;
      const norm = Math.sqrt(Math.max(0, quadratic(gram, rows.subarray(first, first + dim))));
      for (let i = 0; i < tokens; i++) {
        const at = (head * tokens + i) * tokens + j;
        norms[at] = weights[at]! * norm;
      }
      yield;
    }
  }
  return norms;
}

/** Wo_h · Wo_hᵀ of the columns of a head, [dim, dim]: ‖v Wo_h‖² = v · it · v. */
function* gramOf(matrix: Float32Array, width: number, first: number, dim: number): Generator<void, Float64Array> {
  const gram = new Float64Array(dim * dim);
  for (let row = first; row < matrix.length; row += width) {
    for (let a = 0; a < dim; a++) {
      for (let b = 0; b < dim; b++) gram[a * dim + b]! += matrix[row + a]! * matrix[row + b]!;
    }
    yield;
  }
  return gram;
}

function quadratic(gram: Float64Array, vector: Float32Array): number {
  let sum = 0;
  for (let a = 0; a < vector.length; a++) {
    for (let b = 0; b < vector.length; b++) sum += vector[a]! * gram[a * vector.length + b]! * vector[b]!;
  }
  return sum;
}
