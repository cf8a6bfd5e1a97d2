import type { CollatedBatch, Collator, Draw, Example } from '../collators/collator.js';
import type { Row } from '../datasets/index.js';

/** A row of one of several heads. */
export interface HeadRow {
  /** The number of its head. */
  readonly head: number;
  /** The row, and its place among those of its head. */
  readonly row: Row;
  readonly index: number;
}

/** A row of one head as tokens. */
export interface HeadExample extends Example {
  readonly head: number;
}

/** A batch that one head learns from. */
export interface HeadBatch extends CollatedBatch {
  readonly head: number;
}

/** Makes micro-batches of one head each, by the collators of the heads. */
export class HeadsCollator implements Collator<HeadRow, HeadExample> {
  readonly #collators: readonly Collator<Row>[];

  constructor(collators: readonly Collator<Row>[]) {
    this.#collators = collators;
  }

  *encode({ head, row, index }: HeadRow): Generator<void, HeadExample | undefined> {
    const example = yield* this.#collators[head]!.encode(row, index);
    return example && { ...example, head };
  }

  /** `examples` are of one head. */
  collate(examples: readonly HeadExample[], draw: Draw): HeadBatch {
    const { head } = examples[0]!;
    return { ...this.#collators[head]!.collate(examples, draw), head };
  }

  warn(): void {
    for (const collator of this.#collators) collator.warn();
  }
}
