import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { difference, type Tensor } from '../golden-vectors/read.js';

export { Golden } from '../golden-vectors/read.js';

/** What a part says of one comparison. */
export interface Line {
  readonly name: string;
  readonly ok: boolean;
  readonly text: string;
}

/** What is explained of a case. */
export type CaseTarget =
  | { readonly kind: 'label' | 'next'; readonly label: number }
  | { readonly kind: 'token-label'; readonly position: number; readonly label: number }
  | { readonly kind: 'span'; readonly start: number; readonly end: number }
  | { readonly kind: 'mask'; readonly position: number; readonly label: number; readonly minus?: number }
  | { readonly kind: 'choice' }
  | { readonly kind: 'replaced'; readonly position: number }
  | { readonly kind: 'similarity'; readonly other: readonly number[] }
  | { readonly kind: 'decision'; readonly coef: readonly number[]; readonly intercept: number };

/** A text of a golden model. */
export interface Case {
  readonly id: string;
  readonly text: string;
  readonly text_pair: string | null;
  readonly input_ids: readonly number[];
  readonly tokens: readonly string[];
  /** In code points. */
  readonly offsets: readonly (readonly [number, number])[];
  readonly special: readonly boolean[];
  readonly words: readonly (readonly number[])[];
  readonly target: CaseTarget;
  readonly permutations: readonly (readonly number[])[];
  readonly score: number;
  readonly baseline_score: Readonly<Record<string, number>>;
  readonly delta: Readonly<Record<string, number>>;
  readonly pair?: string | null;
  readonly lens?: readonly {
    readonly position: number;
    readonly layers: readonly {
      readonly ids: readonly number[];
      readonly log_probs: readonly number[];
      readonly rank_of_final: number;
      readonly log_prob_of_final: number;
      readonly entropy: number;
    }[];
  }[];
}

/** The folders of models in a golden directory. */
export function modelFolders(root: string): string[] {
  const folder = join(root, 'tiny');
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}

/** Compares numbers: |actual - expected| ≤ tolerance · max(1, |expected|). */
export function compare(name: string, actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number): Line {
  if (actual.length !== expected.length) return { name, ok: false, text: `${actual.length} numbers, expected ${expected.length}` };
  let most = 0;
  for (let i = 0; i < actual.length; i++) {
    const [a, e] = [actual[i]!, expected[i]!];
    if (Number.isNaN(a) && Number.isNaN(e)) continue;
    const error = Math.abs(a - e) / Math.max(1, Math.abs(e));
    most = Math.max(most, Number.isNaN(error) ? Infinity : error);
  }
  return { name, ok: most <= tolerance, text: `${most.toExponential(1)} of ${tolerance}` };
}

/** Compares what must be equal. */
export function same(name: string, actual: unknown, expected: unknown): Line {
  const ok = JSON.stringify(actual) === JSON.stringify(expected);
  return { name, ok, text: ok ? 'equal' : `${JSON.stringify(actual).slice(0, 120)}, expected ${JSON.stringify(expected).slice(0, 120)}` };
}

/** UTF-16 offsets as code points. */
export function codePoints(text: string, offset: number): number {
  return Array.from(text.slice(0, offset)).length;
}

export { difference, type Tensor };
