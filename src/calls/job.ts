import type { ForwardInput, Model, Value } from '../models/index.js';
import { joined, packInputs, type BatchInputs } from '../runtime/batch.js';

/** A sequence on its way to the model. */
export interface Sequence extends ForwardInput {
  /** Positions whose rows `selected` values hold. */
  readonly selected?: Int32Array;
  /** Ids that `targets` values are about, `TARGETS_PER_ROW` a selected position. */
  readonly targets?: Int32Array;
  /** Its first tokens that others see. Default: all. */
  readonly numKeys?: number;
}

/** What a call needs of a model; a model without token types reads none, whatever its tokenizer says. */
export interface Computing extends Pick<Model, 'session'> {
  readonly config: Pick<Model['config'], 'typeVocabSize'>;
}

/** A job carries about this many tokens: enough to feed every thread, little enough to bound memory and to notice an abort soon. */
const kJobTokens = 8192;
/** Sequences in a job at most: empty texts cost memory too. */
const kJobSequences = 512;

/** Sequences of one call that are computed together; the first of them is the call's `first`. */
export class Job<S extends Sequence> {
  readonly first: number;
  readonly sequences: S[] = [];
  readonly #mostTokens: number;
  #tokens = 0;

  constructor(first: number, mostTokens = kJobTokens) {
    this.first = first;
    this.#mostTokens = mostTokens;
  }

  get tokens(): number {
    return this.#tokens;
  }

  get hasRoom(): boolean {
    return this.#tokens < this.#mostTokens && this.sequences.length < kJobSequences;
  }

  add(sequence: S): void {
    this.sequences.push(sequence);
    this.#tokens += sequence.ids.length;
  }

  /** Lays the sequences end to end. Pooling leaves `poolSkip` tokens at the start of each out. */
  pack({ config }: Computing, poolSkip: number): BatchInputs {
    const { sequences } = this;
    const packed = packInputs(sequences, config.typeVocabSize > 0);
    const hasKeys = sequences.some(({ numKeys }) => numKeys !== undefined);
    const batch = hasKeys ? { ...packed, keyCounts: Int32Array.from(sequences, ({ numKeys }) => numKeys ?? 0) } : packed;
    if (poolSkip === 0 && sequences[0]?.selected === undefined) return batch;
    const skipped = poolSkip === 0 ? {} : { poolSkip: new Int32Array(sequences.length).fill(poolSkip) };
    if (sequences[0]?.selected === undefined) return { ...batch, ...skipped };
    const cuSelected = new Int32Array(sequences.length + 1);
    sequences.forEach(({ selected }, i) => (cuSelected[i + 1] = cuSelected[i]! + (selected?.length ?? 0)));
    const ints = (length: number): Int32Array => new Int32Array(length);
    const selected = joined(
      sequences.map((each) => each.selected ?? new Int32Array()),
      ints,
    );
    if (sequences[0].targets === undefined) return { ...batch, ...skipped, selected, cuSelected };
    const targets = joined(
      sequences.map((each) => each.targets ?? new Int32Array()),
      ints,
    );
    return { ...batch, ...skipped, selected, cuSelected, targets };
  }
}

/** The rows of one sequence in a value of a whole batch. */
export function rowsOf(data: Float32Array, { rows, width }: Value, { cuSeqlens, cuSelected }: BatchInputs, sequence: number): Float32Array {
  if (rows === 'scores') {
    const square = (i: number) => width * (cuSeqlens[i + 1]! - cuSeqlens[i]!) ** 2;
    let begin = 0;
    for (let i = 0; i < sequence; i++) begin += square(i);
    return data.subarray(begin, begin + square(sequence));
  }
  const bounds = rows === 'tokens' ? cuSeqlens : rows === 'selected' ? cuSelected! : undefined;
  const begin = bounds === undefined ? sequence : bounds[sequence]!;
  const end = bounds === undefined ? sequence + 1 : bounds[sequence + 1]!;
  return data.subarray(begin * width, end * width);
}
