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
