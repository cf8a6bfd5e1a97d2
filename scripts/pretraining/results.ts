import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const file = join(import.meta.dirname, 'results.json');

/** What both sides have in common. */
interface SideResult {
  /** Of the batches, which both learn from. */
  readonly digest: string;
  readonly threads: number;
  /** The first losses. */
  readonly curve: readonly number[];
  /** The median step on a machine that does nothing else: `--task pretrain-speed`. */
  readonly stepSeconds?: number;
}

interface HeldOut {
  readonly mlmLoss: number;
  readonly pairAccuracy: number;
}

/** A whole run of ours. */
export interface BerthaResult extends SideResult {
  readonly seconds: number;
  readonly steps: number;
  readonly heldOut: HeldOut;
}

/** What reference.py writes; with `--steps` the curve and the time of a step alone. */
export interface TransformersResult extends SideResult {
  readonly heldOut?: HeldOut;
}

/** The stored results of both. */
export interface Results {
  readonly bertha?: BerthaResult;
  readonly transformers?: TransformersResult;
}

/** results.json, as it is now. */
export function readResults(): Results {
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as Results) : {};
}

/** Puts a side's result into results.json. */
export function record(name: keyof Results, result: Results[typeof name]): void {
  writeFileSync(file, `${JSON.stringify({ ...readResults(), [name]: result }, null, 2)}\n`);
}
