import { requireInputScale } from '../../checkpoint/calibration.js';
import { quote } from '../../checkpoint/describe.js';
import { storedName } from '../../checkpoint/safetensors/row-range.js';
import type { TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import { unexpected } from '../../expected.js';
import type { NativeOp } from '../../runtime/native.js';
import type { Program, Value } from './program.js';

/**
 * A linear layer whose input came out of a LayerNorm: in BERT the query, key and value product and the first of the feed-forward block.
 * There, and only there, few input channels are far larger than the rest, so that rounding a row to 8 bits wastes most of its grid on
 * them. Dividing input column i by a scale s[i] and multiplying weight column i by it changes nothing in exact arithmetic and moves the
 * difficulty from the activations to the weights. The attention output does not need it and the second feed-forward product gets worse.
 */
export interface SmoothableLinear {
  /** As the checkpoint names it, without `.weight`; for stacked tensors the first one's name. */
  readonly name: string;
  /** [tokens, columns] */
  readonly input: Value;
  /** What the matrix is stacked from, [rows, columns] each. */
  readonly tensors: readonly TensorInfo[];
}

/** The linears of a program that smoothing is for, in order of execution. */
export function smoothableLinears(program: Program): SmoothableLinear[] {
  return candidates(program).map(({ linear }) => linear);
}

/** The program with the input scales [columns] of those linears that `scales` names; others stay as they are. */
export function withInputScales(program: Program, scales: ReadonlyMap<string, TensorInfo>): Program {
  const weights = [...program.weights];
  const ops = [...program.ops];
  for (const { index, op, linear } of candidates(program)) {
    const scale = scales.get(linear.name);
    if (scale === undefined) continue;
    weights.push({ name: scale.name, kind: 'vector', rows: 1, cols: linear.input.width, tensors: [scale] });
    ops[index] = { ...op, inputScale: weights.length - 1 };
  }
  return { ...program, weights, ops };
}

/** The program with the input scales that its integer matrices were stored with. Errors: CALIBRATION, IO. */
export async function withStoredInputScales(program: Program): Promise<Program> {
  const weights = [...program.weights];
  const ops: NativeOp[] = [];
  for (const op of program.ops) {
    const stored = op.op === 'linear' ? program.weights[op.matrix]!.tensors.map(({ scales }) => scales?.input) : [];
    const [scale] = stored;
    if (op.op !== 'linear' || stored.every((each) => each === undefined)) {
      ops.push(op);
      continue;
    }
    if (scale === undefined || !(await areEqual(scale, stored))) {
      const { name } = program.weights[op.matrix]!;
      throw unexpected('CALIBRATION', `the same input scales for all of ${quote(name)}, which are one product,`, 'different ones');
    }
    weights.push({ name: scale.name, kind: 'vector', rows: 1, cols: scale.shape[0]!, tensors: [scale] });
    ops.push({ ...op, inputScale: weights.length - 1 });
  }
  return { ...program, weights, ops };
}

/** Whether the scales of stacked matrices are one. Errors: CALIBRATION for one that is not a positive number; IO. */
async function areEqual(first: TensorInfo, all: readonly (TensorInfo | undefined)[]): Promise<boolean> {
  const values = await readInputScale(first);
  for (const each of new Set(all)) {
    if (each === undefined) return false;
    const other = each === first ? values : await readInputScale(each);
    if (other.some((value, i) => value !== values[i])) return false;
  }
  return true;
}

async function readInputScale({ file, name }: TensorInfo): Promise<Float32Array> {
  const values = await file.readFloat32(name);
  requireInputScale(file, name, values);
  return values;
}

interface Candidate {
  readonly index: number;
  readonly op: NativeOp & { readonly op: 'linear' };
  readonly linear: SmoothableLinear;
}

function candidates({ ops, values, weights }: Program): Candidate[] {
  const normed = new Set(ops.flatMap((op) => (op.op === 'layer_norm' ? [op.output] : [])));
  return ops.flatMap((op, index) => {
    if (op.op !== 'linear' || op.fullPrecision === true || !normed.has(op.input) || values[op.output]!.rows !== 'tokens') return [];
    const { tensors } = weights[op.matrix]!;
    const name = storedName(tensors[0]!).replace(/\.weight$/, '');
    return [{ index, op, linear: { name, input: values[op.input]!, tensors } }];
  });
}
