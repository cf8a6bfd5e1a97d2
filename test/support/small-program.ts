// Programs whose weights are numbers of the test: through a trainer, which holds them, and what it makes of them.
import type { TensorInfo } from '../../src/checkpoint/safetensors/safetensors.js';
import { ProgramBuilder, type Program, type Value } from '../../src/models/program/program.js';
import type { NativeLivePart, NativeMicroBatch, NativeSnapshot, NativeTrainingProgram } from '../../src/runtime/native.js';
import { TrainerSession } from '../../src/training/native/trainer-session.js';
import { Random } from './random.js';

/** A tensor that no file has. */
export function tensorOf(name: string, ...shape: number[]): TensorInfo {
  return { name, shape, dtype: 'F32', byteOffset: 0, byteLength: 0, file: { fd: 0 } } as unknown as TensorInfo;
}

/** A program that ends in a value, and its weights' numbers, row-major, by their order. */
export interface SmallProgram {
  readonly program: Program;
  readonly output: Value;
  readonly weights: readonly Float32Array[];
}

/** Appends the ops of `build` to a lookup of `vocabSize` words in a table [vocabSize, width], and draws all weights. */
export function smallProgram(
  { vocabSize, width, seed = 1 }: { readonly vocabSize: number; readonly width: number; readonly seed?: number },
  build: (b: ProgramBuilder, x: Value) => Value,
): SmallProgram {
  const b = new ProgramBuilder({ vocabSize, typeVocabSize: 0, maxSeqLen: 64 });
  const output = build(b, b.embed({ word: b.table(tensorOf('words', vocabSize, width)) }));
  const program = b.build();
  const random = new Random(seed);
  return { program, output, weights: program.weights.map(({ rows, cols }) => random.floats(rows * cols)) };
}

/** A batch of texts of `lengths` tokens each, with random ids. */
export function smallBatch(vocabSize: number, lengths: readonly number[], seed = 2): { inputIds: Int32Array; cuSeqlens: Int32Array } {
  const cuSeqlens = new Int32Array(lengths.length + 1);
  lengths.forEach((length, i) => (cuSeqlens[i + 1] = cuSeqlens[i]! + length));
  return { inputIds: Int32Array.from(new Random(seed).integers(cuSeqlens.at(-1)!, 0, vocabSize - 1)), cuSeqlens };
}

/** A session over the weights; with `given` the gradient of the output is what a batch brings by that name. */
export async function smallSession({ program, output, weights }: SmallProgram, given = false, recompute = false): Promise<TrainerSession> {
  const gradient = program.inputs.length;
  const inputs = [
    ...program.inputs,
    { name: 'gradient', rows: output.rows, width: output.width, dtype: 'float32', required: true } as const,
  ];
  const values = [...program.values, output];
  const loss = { op: 'given', value: output.id, gradient, output: program.values.length } as const;
  const native: NativeTrainingProgram = {
    ...program,
    ...(given ? { inputs, values, ops: [...program.ops, loss] } : {}),
    weights: program.weights.map(({ name, kind, rows, cols }) => ({ name, kind, rows, cols, parts: [] })),
    training: { weights: program.weights.map(() => ({ trainable: true, decay: false })), sequencesPerGroup: 1 },
  };
  const session = await TrainerSession.load(native, { precision: 'fp32', seed: [1, 2], threads: 2, recompute });
  for (const [id, numbers] of weights.entries()) await session.write(id, 'value', 0, numbers);
  return session;
}

/** The program as a loaded model would hold it, its weights packed. */
export function snapshotOf({ program }: SmallProgram, precision: string): NativeSnapshot {
  const partOf = (weight: number): NativeLivePart => {
    const { kind, rows, cols } = program.weights[weight]!;
    return { weight, begin: 0, count: kind === 'vector' ? cols : rows };
  };
  const weights = program.weights.map(({ name, kind, rows, cols }, id) => ({ name, kind, rows, cols, parts: [partOf(id)] }));
  return { ...program, weights, device: 'cpu', precision };
}

/** Gradients of `Σ given ∘ output` of a batch, by weight. */
export async function gradientsOf(small: SmallProgram, batch: object, given: Float32Array, recompute = false): Promise<Float32Array[]> {
  const session = await smallSession(small, true, recompute);
  try {
    await session.accumulate([{ ...batch, gradient: given } as unknown as NativeMicroBatch], { numItems: [1], microStep: 0 });
    const gradients: Float32Array[] = [];
    for (const [id, { rows }] of small.program.weights.entries()) gradients.push(await session.read(id, 'gradient', 0, rows));
    return gradients;
  } finally {
    session.dispose();
  }
}
