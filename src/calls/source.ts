import type { EncodedIds } from '../tokenizer/index.js';
import type { TextInput } from './inputs.js';
import type { Job, Sequence } from './job.js';
import type { Finish, TextReader } from './text-reader.js';

/** Where the sequences of a call come from, one input after the other. */
export interface Source<S extends Sequence> {
  /** Inputs in all. */
  readonly count: number;
  /** Whether every sequence has gone into a job. */
  readonly isAtEnd: boolean;
  /** Tokens at the start of every sequence that pooling leaves out. */
  readonly poolSkip: number;
  /** Puts the next input into a job, or what there is room for, in slices: each `next` reads a part of it. */
  readNext(job: Job<S>): Generator<void, void>;
}

/** Texts that are read one after the other, each into one sequence or several. */
export class TextSource<E extends EncodedIds, S extends Sequence> implements Source<S> {
  readonly #inputs: readonly TextInput[];
  readonly #reader: TextReader;
  readonly #finish: Finish<E>;
  readonly #sequencesOf: (encoded: E, index: number) => readonly S[];
  #next = 0;
  /** What was read last, and how much of it has gone into jobs. */
  #sequences: readonly S[] = [];
  #numTaken = 0;

  /** `finish` says what a text becomes, `sequencesOf` what of it is computed. */
  constructor(
    inputs: readonly TextInput[],
    reader: TextReader,
    finish: Finish<E>,
    sequencesOf: (encoded: E, index: number) => readonly S[],
  ) {
    this.#inputs = inputs;
    this.#reader = reader;
    this.#finish = finish;
    this.#sequencesOf = sequencesOf;
  }

  get count(): number {
    return this.#inputs.length;
  }

  get isAtEnd(): boolean {
    return this.#next === this.#inputs.length && this.#numTaken === this.#sequences.length;
  }

  get poolSkip(): number {
    return this.#reader.poolSkip;
  }

  /** Errors: MAX_LENGTH, INPUT_TOO_LARGE, those of `sequencesOf`. */
  *readNext(job: Job<S>): Generator<void, void> {
    if (this.#numTaken === this.#sequences.length) {
      const index = this.#next++;
      this.#sequences = this.#sequencesOf(yield* this.#reader.read(this.#inputs[index]!, index, this.#finish), index);
      this.#numTaken = 0;
    }
    // Windows of a long text fill many jobs.
    while (this.#numTaken < this.#sequences.length && job.hasRoom) job.add(this.#sequences[this.#numTaken++]!);
  }
}

/** Sequences that are there already. */
export class SequenceSource<S extends Sequence> implements Source<S> {
  readonly poolSkip = 0;
  readonly #sequences: readonly S[];
  #next = 0;

  constructor(sequences: readonly S[]) {
    this.#sequences = sequences;
  }

  get count(): number {
    return this.#sequences.length;
  }

  get isAtEnd(): boolean {
    return this.#next === this.#sequences.length;
  }

  *readNext(job: Job<S>): Generator<void, void> {
    job.add(this.#sequences[this.#next++]!);
  }
}
