import { unexpected } from '../../expected.js';
import type { CollatedBatch, Collator } from '../collators/collator.js';
import { packExamples } from '../collators/pack.js';
import type { TextVectorsExample } from '../distillation/text-vectors-collator.js';

/** Pairs of sentences with scores, for the loss of their cosines: all first sentences, then all second ones; the highest score is 1. */
export class PairLossCollator implements Pick<Collator, 'collate'> {
  readonly #highest: number;

  constructor(examples: readonly TextVectorsExample[]) {
    this.#highest = Math.max(...examples.map(({ score }) => score ?? 0)) || 1;
  }

  /** Errors: EMPTY_INPUT for a row that is no pair with a score. */
  collate(examples: readonly TextVectorsExample[]): CollatedBatch {
    const scores = examples.map(({ sequences, score }) => {
      if (sequences.length === 2 && score !== undefined) return score / this.#highest;
      throw unexpected('EMPTY_INPUT', 'pairs of sentences with scores', 'a row without');
    });
    const columns = [0, 1].map((column) => examples.map((each) => ({ ...each, sequences: [each.sequences[column]!] })));
    const packed = packExamples(columns.flat());
    const numbers = Float32Array.from([...scores, ...scores.map(() => 0)]);
    return {
      rows: examples.length,
      tokens: packed.inputIds.length,
      numItems: [examples.length],
      batch: { ...packed, numbers },
      read: () => ({ predictions: [], labels: [] }),
    };
  }
}
