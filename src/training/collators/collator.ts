import { inSlices } from '../../calls/text-reader.js';
import type { PackedBatch } from '../../runtime/batch.js';
import type { Budget } from '../../runtime/event-loop-budget.js';

/** A sequence of tokens on its way into a micro-batch. */
export interface EncodedSequence {
  /** [tokens] */
  readonly ids: Int32Array;
  /** [tokens]; absent: all 0. */
  readonly typeIds?: Int32Array;
}

/** A row of a dataset as tokens: one sequence, or several (the choices of a question, the windows of a long text), and what they are labelled with. */
export interface Example {
  /** The row's place in its dataset. What is drawn at random of it depends on (seed, epoch, index) alone. */
  readonly index: number;
  readonly sequences: readonly EncodedSequence[];
  /** Tokens of all its sequences: what rows are grouped by. */
  readonly tokens: number;
  /** What no other row of a batch may have where its collator `isDistinct`, such as texts that are each other's negatives. */
  readonly values?: readonly string[];
}

/**
 * What a training program reads: sequences end to end, and the inputs that its losses declare. Labels below 0 (-100) do not count; nor does
 * a number that is NaN.
 */
export type MicroBatch = PackedBatch & {
  /** Classes: [tokens], [sequences] or [selected], by the head. */
  readonly labels?: Int32Array;
  /** A second kind of classes (next sentence beside masked words), [sequences]. */
  readonly sentenceLabels?: Int32Array;
  /** First and last token of an answer, [sequences, 2]. */
  readonly spans?: Int32Array;
  /** What scores should be, [sequences or tokens, width]. */
  readonly numbers?: Float32Array;
  /** What a teacher's predictions of it are: logits, or sentence vectors. */
  readonly teacher?: Float32Array;
};

/** A micro-batch, and how much of it counts. */
export interface CollatedBatch {
  /** Rows of the dataset in it. */
  readonly rows: number;
  /** Tokens to compute. */
  readonly tokens: number;
  /** What counts in each loss: sequences, labels that are not -100, answers … */
  readonly numItems: readonly number[];
  readonly batch: MicroBatch;
  /** Rows for metrics alone: no loss is computed of them. */
  readonly isOnlyScored?: boolean;
  /**
   * What the logits of this batch, as the head computes them ([sequences, labels], [tokens, labels], [tokens, 2], [sequences, 1] of choices, [selected,
   * vocabulary]), say of each row, in order, and the row's labels in the same form: what `computeMetrics` and `predict` get. `pairLogits`
   * are those of a second head, over pairs: [sequences, 2].
   */
  read(logits: Float32Array, pairLogits?: Float32Array): ReadPredictions;
  /** The same in slices, where it takes long: rows of a vocabulary's numbers. */
  readSlices?(logits: Float32Array, pairLogits?: Float32Array): Generator<void, ReadPredictions>;
}

/** `read` of a batch in short turns of the event loop. Errors: the reason of the budget's signal. */
export async function readInTurns(
  batch: CollatedBatch,
  budget: Budget,
  logits: Float32Array,
  pairLogits?: Float32Array,
): Promise<ReadPredictions> {
  return batch.readSlices === undefined ? batch.read(logits, pairLogits) : inSlices(batch.readSlices(logits, pairLogits), budget);
}

/** One entry a row. */
export interface ReadPredictions {
  readonly predictions: readonly unknown[];
  /** Empty for rows without labels. */
  readonly labels: readonly unknown[];
}

/** What may be drawn at random of a batch. */
export interface Draw {
  readonly seed: number;
  /** Counted from 0. Evaluation draws the same masks each time. */
  readonly epoch: number;
}

/** Makes micro-batches of rows, for one head. */
export interface Collator<Row = unknown, Encoded extends Example = Example> {
  /**
   * Reads a row in slices of the event loop, each `next` a part of it; undefined for a row from which nothing can be learned (it was warned of).
   *
   * Errors: INVALID_ARG names the row and what is wrong with it; MAX_LENGTH.
   */
  encode(row: Row, index: number): Generator<void, Encoded | undefined>;
  /** Lays examples end to end. A whole batch is well below 2 ms. */
  collate(examples: readonly Encoded[], draw: Draw): CollatedBatch;
  /** Whether no two rows of a batch may have one of `Example.values` in common. */
  readonly isDistinct?: boolean | undefined;
  /** Tells once, as process warnings, what was left out of the rows so far: cut texts, answers that are not in their context … */
  warn(): void;
}
