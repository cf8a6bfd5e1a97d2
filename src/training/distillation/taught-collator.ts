import type { CollatedBatch, Collator, Draw, Example } from '../collators/collator.js';

/**
 * A collator whose batches also count the tokens, for losses of states, and where `labelled` is false give each row a label that has no weight:
 * a student that learns from its teacher alone needs no labels.
 */
export class TaughtCollator<Row> implements Collator<Row> {
  readonly #collator: Collator<Row>;
  readonly #options: { readonly countsTokens: boolean; readonly labelled: boolean };

  constructor(collator: Collator<Row>, options: { readonly countsTokens: boolean; readonly labelled: boolean }) {
    this.#collator = collator;
    this.#options = options;
  }

  encode(row: Row, index: number): Generator<void, Example | undefined> {
    return this.#collator.encode(row, index);
  }

  collate(examples: readonly Example[], draw: Draw): CollatedBatch {
    const collated = this.#collator.collate(examples, draw);
    const { numItems, batch, tokens } = this.#options.labelled ? collated : withLabels(collated);
    return { ...collated, batch, numItems: this.#options.countsTokens ? [...numItems, tokens] : numItems };
  }

  warn(): void {
    this.#collator.warn();
  }
}

/** Label 0 for all that has none. */
function withLabels(collated: CollatedBatch): CollatedBatch {
  const { labels, numbers } = collated.batch;
  if (labels === undefined) return numbers === undefined ? collated : { ...collated, numItems: [collated.rows] };
  const all = labels.map((label) => Math.max(0, label));
  return { ...collated, numItems: [all.length], batch: { ...collated.batch, labels: all } };
}
