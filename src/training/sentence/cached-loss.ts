import type { TensorInfo } from '../../checkpoint/safetensors/safetensors.js';
import { ProgramBuilder } from '../../models/program/program.js';
import type { PackedBatch } from '../../runtime/batch.js';
import type { NativeAccumulated, NativeMicroBatch, NativeTrainingProgram } from '../../runtime/native.js';
import { TrainerSession } from '../native/trainer-session.js';
import type { TrainingTaskOptions } from '../program/tasks.js';
import type { StepSettings } from '../trainer/trainable-model.js';
import { sentenceLosses } from './program-losses.js';

/** Parts of a batch, and batches of a run, whose masks of dropout differ: together all numbers of 32 bits. */
const kMostParts = 1 << 12;
const kMostBatches = 1 << 20;

interface CachedLossOptions {
  readonly task: TrainingTaskOptions;
  /** Numbers of a text's vector, and the value of the program that learns which has them. */
  readonly output: { readonly id: number; readonly width: number };
  /** Texts that are computed at once. */
  readonly miniBatchSize: number;
  /** Any tensor: the vectors' table is in no file. */
  readonly like: TensorInfo;
  readonly threads: number | undefined;
}

/**
 * GradCache (Gao et al., 2021): the loss of a batch whose values do not fit into memory. The vectors of all texts are computed first, part by
 * part; then the loss of them and its gradient, by a program that has the vectors for weights; then each part once more, with the same masks of
 * dropout, whose backward begins with these gradients. The result is that of the whole batch at once.
 */
export class CachedLoss {
  readonly #options: CachedLossOptions;
  #loss: { readonly session: TrainerSession; readonly rows: number } | undefined;

  constructor(options: CachedLossOptions) {
    this.#options = options;
  }

  /** Adds the gradients of a batch to those of `session`, whose program takes them as given; returns the loss. Errors: as `TrainerSession.step`. */
  async accumulate(
    session: TrainerSession,
    batch: NativeMicroBatch,
    { numItems, microStep, signal }: Pick<StepSettings, 'numItems' | 'microStep' | 'signal'>,
  ): Promise<number> {
    const { output, miniBatchSize } = this.#options;
    const parts = partsOf(batch, miniBatchSize);
    const place = { numItems: [1], microStep: (microStep % kMostBatches) * kMostParts };
    const stoppable = { signal };
    const blank = parts.map((part) => ({ ...part, gradient: new Float32Array((part.cuSeqlens.length - 1) * output.width) }));
    const forward = { ...place, outputs: Int32Array.of(output.id), forwardOnly: true };
    const vectors = joined(await session.accumulate(blank, forward, stoppable));
    const { loss, gradient } = await this.#gradientOf(vectors, batch, numItems, signal);
    let begin = 0;
    const known = blank.map((part) => {
      const end = begin + part.gradient.length;
      const own = { ...part, gradient: gradient.subarray(begin, end) };
      begin = end;
      return own;
    });
    await session.accumulate(known, place, stoppable);
    return loss;
  }

  dispose(): void {
    this.#loss?.session.dispose();
    this.#loss = undefined;
  }

  async #gradientOf(vectors: Float32Array, { numbers }: NativeMicroBatch, numItems: readonly number[], signal: AbortSignal | undefined) {
    const rows = vectors.length / this.#options.output.width;
    const session = await this.#lossOf(rows);
    await session.write(kTable, 'value', 0, vectors);
    const ids = Int32Array.from({ length: rows }, (_, row) => row);
    const batch = {
      inputIds: ids,
      tokenTypeIds: new Int32Array(rows),
      cuSeqlens: Int32Array.from({ length: rows + 1 }, (_, row) => row),
      ...(numbers === undefined ? {} : { numbers }),
    };
    const { loss } = await session.accumulate([batch], { numItems, microStep: 0 }, { signal });
    const gradient = await session.read(kTable, 'gradient', 0, rows);
    session.zeroGradients();
    return { loss, gradient };
  }

  /** The program of the loss, with room for as many vectors. */
  async #lossOf(rows: number): Promise<TrainerSession> {
    if (this.#loss !== undefined && this.#loss.rows >= rows) return this.#loss.session;
    this.dispose();
    const { threads } = this.#options;
    const program = lossProgram(this.#options, rows);
    const session = await TrainerSession.load(program, { threads, precision: 'fp32', seed: [0, 0] });
    this.#loss = { session, rows };
    return session;
  }
}

/** The one weight of a loss's program. */
const kTable = 0;

function lossProgram({ task, output, like }: CachedLossOptions, rows: number): NativeTrainingProgram {
  const b = new ProgramBuilder({ vocabSize: rows, typeVocabSize: 0, maxSeqLen: 1 });
  const word = b.table({ ...like, name: 'vectors', shape: [rows, output.width] });
  sentenceLosses(b, b.firstTokens(b.embed({ word })), task);
  const { weights, ...program } = b.build();
  return {
    ...program,
    weights: weights.map(({ name, kind, rows: length, cols }) => ({ name, kind, rows: length, cols, parts: [] })),
    training: { weights: [{ trainable: true, decay: false }], sequencesPerGroup: 0 },
  };
}

/** A batch in parts of `size` sequences, without what the loss reads. */
function partsOf({ inputIds, tokenTypeIds, cuSeqlens }: PackedBatch, size: number): PackedBatch[] {
  const sequences = cuSeqlens.length - 1;
  const step = Math.max(size, Math.ceil(sequences / kMostParts));
  return Array.from({ length: Math.ceil(sequences / step) }, (_, part) => {
    const bounds = cuSeqlens.subarray(part * step, Math.min(sequences, (part + 1) * step) + 1);
    const [begin, end] = [bounds[0]!, bounds.at(-1)!];
    return {
      inputIds: inputIds.subarray(begin, end),
      tokenTypeIds: tokenTypeIds.subarray(begin, end),
      cuSeqlens: bounds.map((bound) => bound - begin),
    };
  });
}

function joined({ outputs }: NativeAccumulated): Float32Array {
  const all = new Float32Array(outputs.reduce((sum, [vectors]) => sum + vectors!.length, 0));
  let begin = 0;
  for (const [vectors] of outputs) {
    all.set(vectors!, begin);
    begin += vectors!.length;
  }
  return all;
}
