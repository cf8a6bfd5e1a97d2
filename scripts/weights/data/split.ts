import type { Random } from '../../../src/training/datasets/random.js';

/** Rows to learn from, and rows that are kept for measuring. */
export interface Split<Row> {
  readonly train: readonly Row[];
  readonly heldOut: readonly Row[];
}

/** Holds out every tenth: those at 9, 19, 29 …. */
export function everyTenth<Row>(rows: readonly Row[]): Split<Row> {
  return { train: rows.filter((_, i) => i % 10 !== 9), heldOut: rows.filter((_, i) => i % 10 === 9) };
}

/** Splits in one. */
export function together<Row>(splits: readonly Split<Row>[]): Split<Row> {
  return { train: splits.flatMap(({ train }) => train), heldOut: splits.flatMap(({ heldOut }) => heldOut) };
}

/** A random order of them. */
export function shuffled<Row>(rows: readonly Row[], random: Random): Row[] {
  const order = [...rows];
  for (let last = order.length - 1; last > 0; last--) {
    const other = random.below(last + 1);
    [order[last], order[other]] = [order[other]!, order[last]!];
  }
  return order;
}
