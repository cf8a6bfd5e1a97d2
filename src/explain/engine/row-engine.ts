import type { Value } from '../../models/index.js';
import type { NativeMicroBatch } from '../../runtime/native.js';
import { rowsOf } from '../../calls/job.js';
import { joined } from '../../runtime/batch.js';
import { TrainerSession, type Stoppable } from '../../training/native/trainer-session.js';
import type { RowProgram } from './row-program.js';

/** A sequence whose tokens are rows instead of ids. */
export interface RowSequence {
  /** [tokens, width] */
  readonly rows: Float32Array;
  readonly typeIds?: Int32Array;
  /** Positions whose rows `selected` values hold. */
  readonly selected?: Int32Array;
  /** Tokens at the start that pooling leaves out. */
  readonly poolSkip?: number;
  /** What the gradient begins with, in the shape of the sequence's own rows of the value. */
  readonly coefficients: Float32Array;
}

/** What became of a sequence. */
export interface RowResult {
  /** The sequence's own rows of the value: a view of those of a batch. */
  readonly value: Float32Array;
  /** [tokens, width]: of Σ coefficients ∘ value by the rows. Empty where only the value was asked for. */
  readonly gradient: Float32Array;
}

/**
 * Tokens whose rows are in memory at once, unless one sequence has more: half a chunk of the training engine. With 2,048, a text of 256 tokens took 398 MB
 * beside MiniLM, so 284 MB.
 */
export const kMostRows = 1024;
/** Numbers of values, such as logits of words, that are in memory at once. */
const kMostNumbers = 1 << 22;

/**
 * Models with no more multiplications a token sum in float64: 64 steps of 128 tokens then take up to 3 s on one thread. Chains of float32 sums leave terms off by
 * up to 4.4e-5 in models of 30 numbers a token (PyTorch's: 2.3e-5), float64 ones by up to 1.6e-5.
 */
const kExactProducts = 1 << 17;

const floats = (length: number): Float32Array => new Float32Array(length);

/** Values and gradients of sequences that are given as rows of the word table. Computes in float32 on the pool, one call after the other. */
export class RowEngine {
  readonly width: number;
  readonly #session: TrainerSession;
  readonly #program: RowProgram;
  readonly #capacity: number;
  readonly #known = new Map<number, Float32Array>();
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(session: TrainerSession, program: RowProgram, capacity: number) {
    [this.#session, this.#program, this.#capacity, this.width] = [session, program, capacity, program.width];
  }

  /** Errors: those of `TrainerSession.load`. */
  static async load(program: RowProgram, capacity: number, threads?: number): Promise<RowEngine> {
    const exactSums = program.products <= kExactProducts;
    const session = await TrainerSession.load(program.native, { threads, precision: 'fp32', seed: [0, 0], exactSums });
    return new RowEngine(session, program, capacity);
  }

  /** The value that sequences are computed to. */
  get value(): Value {
    return this.#program.value;
  }

  /** Tokens that one sequence may have. */
  get capacity(): number {
    return this.#capacity;
  }

  /** Rows of the word table, [ids, width]. */
  rowsOf(ids: ArrayLike<number>): Promise<Float32Array> {
    return this.#inTurn(async () => {
      const rows = new Float32Array(ids.length * this.width);
      for (let i = 0; i < ids.length; i++) {
        const id = ids[i]!;
        const row = this.#known.get(id) ?? (await this.#session.read(this.#program.words, 'value', id, id + 1));
        this.#known.set(id, row);
        rows.set(row, i * this.width);
      }
      return rows;
    });
  }

  /**
   * Values of sequences and, with `gradients`, their gradients by the rows; `onDone` hears how many are done. Errors: NON_FINITE, OUT_OF_MEMORY,
   * DISPOSED, the signal's reason.
   */
  async run(
    sequences: readonly RowSequence[],
    options: Stoppable & { readonly gradients: boolean; readonly onDone?: ((count: number) => void) | undefined },
  ): Promise<RowResult[]> {
    const results: RowResult[] = [];
    while (results.length < sequences.length) {
      const part = this.#next(sequences, results.length);
      results.push(...(await this.#inTurn(() => this.#runPart(part, options))));
      options.onDone?.(part.length);
    }
    return results;
  }

  /** Rows of a weight from the first on, by the number that the program gives it. */
  read(weight: number, rows: number): Promise<Float32Array> {
    return this.#inTurn(() => this.#session.read(weight, 'value', 0, rows));
  }

  /** Replaces a weight's numbers, by the number that the program gives it. @internal */
  write(weight: number, values: Float32Array): Promise<void> {
    return this.#inTurn(() => this.#session.write(weight, 'value', 0, values));
  }

  /** Gives the memory back once calls in flight are done. */
  dispose(): void {
    void this.#turn.finally(() => this.#session.dispose());
  }

  /** As many sequences from `first` on as fit. */
  #next(sequences: readonly RowSequence[], first: number): readonly RowSequence[] {
    let [rows, numbers, end] = [0, 0, first];
    for (; end < sequences.length; end++) {
      const { rows: own, coefficients } = sequences[end]!;
      rows += own.length / this.width;
      numbers += coefficients.length;
      if (end > first && (rows > this.#capacity || numbers > kMostNumbers)) break;
    }
    return sequences.slice(first, end);
  }

  async #runPart(
    sequences: readonly RowSequence[],
    { gradients, signal }: Stoppable & { readonly gradients: boolean },
  ): Promise<RowResult[]> {
    const { firstRow, rows: table, value } = this.#program;
    const batch = pack(sequences, this.width, firstRow);
    const begins = Array.from(batch.cuSeqlens, (begin) => firstRow + begin);
    // Each sequence by itself: the event loop copies a little at a time.
    for (const [i, { rows }] of sequences.entries()) await this.#session.write(table, 'value', begins[i]!, rows);
    const how = { numItems: [1], microStep: 0, outputs: Int32Array.of(value.id), forwardOnly: !gradients };
    const { outputs } = await this.#session.accumulate([batch], how, { signal });
    const results: RowResult[] = [];
    for (let i = 0; i < sequences.length; i++) {
      const gradient = gradients ? await this.#session.read(table, 'gradient', begins[i]!, begins[i + 1]!) : new Float32Array();
      results.push({ value: rowsOf(outputs[0]![0]!, value, batch, i), gradient });
    }
    if (gradients) this.#session.zeroGradients();
    return results;
  }

  /** A trainer takes one call at a time. */
  #inTurn<T>(work: () => Promise<T>): Promise<T> {
    const turn = this.#turn.then(work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

function pack(sequences: readonly RowSequence[], width: number, firstRow: number): NativeMicroBatch {
  const cuSeqlens = new Int32Array(sequences.length + 1);
  const cuSelected = new Int32Array(sequences.length + 1);
  sequences.forEach(({ rows, selected }, i) => {
    cuSeqlens[i + 1] = cuSeqlens[i]! + rows.length / width;
    cuSelected[i + 1] = cuSelected[i]! + (selected?.length ?? 0);
  });
  const tokens = cuSeqlens.at(-1)!;
  const tokenTypeIds = new Int32Array(tokens);
  const selected = new Int32Array(cuSelected.at(-1)!);
  sequences.forEach((sequence, i) => {
    if (sequence.typeIds !== undefined) tokenTypeIds.set(sequence.typeIds, cuSeqlens[i]!);
    if (sequence.selected !== undefined) selected.set(sequence.selected, cuSelected[i]!);
  });
  return {
    inputIds: Int32Array.from({ length: tokens }, (_, i) => firstRow + i),
    tokenTypeIds,
    cuSeqlens,
    ...(selected.length > 0 && { selected, cuSelected }),
    ...(sequences.some(({ poolSkip }) => poolSkip !== undefined) && {
      poolSkip: Int32Array.from(sequences, ({ poolSkip = 0 }) => poolSkip),
    }),
    gradient: joined(
      sequences.map(({ coefficients }) => coefficients),
      floats,
    ),
  };
}
