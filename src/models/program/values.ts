import type { RowDomain } from '../../runtime/native.js';

/** A tensor that a program computes: [rows, width]; values of scores are [width = num_heads, queries, keys] per sequence. */
export interface Value {
  readonly id: number;
  readonly rows: RowDomain;
  readonly width: number;
}

/** A weight of a program, [rows, cols]: one stored tensor or several stacked on top of each other. */
export interface WeightRef {
  readonly id: number;
  readonly rows: number;
  readonly cols: number;
  readonly name: string;
}

/** Numbers of an op's own that are dropped while a model learns; sites are numbered in the order of the program. */
export interface DropoutSite {
  readonly dropoutSite: number;
  readonly dropout: number;
}
