import type { Load, Machine } from './machine.js';
import type { Timing } from './measure.js';

/** What is timed: from text to vector, or from token ids on. */
export const kinds = ['text', 'encoder'] as const;
export type Kind = (typeof kinds)[number];

/** One measurement: every engine at one case. */
export interface Row {
  readonly model: string;
  readonly case: string;
  readonly kind: Kind;
  readonly threads: number;
  /** Beside a process that keeps one core busy. */
  readonly contended: boolean;
  readonly texts: number;
  readonly tokens: number;
  /** Of the encoder, in units of 1e9. */
  readonly gigaFlops: number;
  /** Share of the machine that was idle just before; absent beside a busy process, and where nothing tells. */
  readonly idle?: number;
  /** By contestant: an engine's name and, where there are several, its way of batching. */
  readonly timings: Readonly<Record<string, Timing>>;
}

/** Milliseconds from nothing to the first vector. */
export interface LoadRow {
  readonly threads: number;
  readonly timings: Readonly<Record<string, Timing>>;
}

/** What one run of the bench found. */
export interface Results {
  readonly date: string;
  readonly quick: boolean;
  readonly machine: Machine;
  /** Gigaflops of one core by instruction in registers, measured by the addon; empty where it does not measure. */
  readonly peak: Readonly<Record<string, number>>;
  /** Just before, and during the run. */
  readonly load: { readonly before: Load | undefined; readonly during: Load | undefined };
  readonly engines: readonly { readonly name: string; readonly version: string; readonly precision: string; readonly isRival: boolean }[];
  /** What could not be measured here, and why. */
  readonly leftOut: readonly string[];
  readonly loads: readonly LoadRow[];
  readonly rows: readonly Row[];
}

/** The rival that everything is compared with. */
export const reference = 'onnxruntime fp32';

/** A rival's median in a row by its way of batching: the contestant's whole name. */
function rivalTimes(row: Row, rival: string): [string, number][] {
  return Object.entries(row.timings)
    .filter(([name]) => name === rival || name.startsWith(`${rival} (`))
    .map(([name, { median }]) => [name, median]);
}

/** How many times the speed of a rival a median is: against arrival order, and against its best order. */
export function ratios(
  row: Row,
  median: number,
  rival: string = reference,
): { readonly arrival: number; readonly best: number } | undefined {
  const times = rivalTimes(row, rival);
  const arrival = times[0]?.[1];
  return arrival === undefined ? undefined : { arrival: arrival / median, best: Math.min(...times.map(([, time]) => time)) / median };
}

/** A row's name without what is measured: `MiniLM 1x16`. */
export const rowName = (row: Row): string => `${row.model} ${row.case}`;
