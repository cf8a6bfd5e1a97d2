import { packBatch, type PackedBatch } from '../../runtime/batch.js';
import type { EncodedSequence, Example } from './collator.js';

/** The sequences of examples, end to end. */
export function packExamples(examples: readonly Example[]): PackedBatch {
  return packBatch(examples.flatMap(({ sequences }) => sequences));
}

/** Where the tokens of each example begin, and where the last one ends: [examples + 1]. */
export function tokenBounds(examples: readonly Example[]): number[] {
  const bounds = [0];
  for (const { tokens } of examples) bounds.push(bounds.at(-1)! + tokens);
  return bounds;
}

/** Tokens of sequences. */
export function countTokens(sequences: readonly EncodedSequence[]): number {
  return sequences.reduce((sum, { ids }) => sum + ids.length, 0);
}

/** The sum over examples. */
export function sumOf<E>(examples: readonly E[], count: (example: E) => number): number {
  return examples.reduce((sum, example) => sum + count(example), 0);
}
