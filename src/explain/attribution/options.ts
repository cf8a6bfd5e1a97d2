import { callSchema, limitSchema, type LimitOptions } from '../../calls/options.js';
import type { Deadline } from '../../calls/deadline.js';
import { unexpected, wrongOption } from '../../expected.js';
import { callback, type Check, flag, integer, oneOf, taking, type Options } from '../../options.js';
import { baselineCheck, type BaselineOption } from '../evaluation/baseline.js';
import type { Running } from '../evaluation/evaluate.js';
import { seedCheck } from '../reading/collection-options.js';
import { unitKind, type UnitKind } from '../reading/units.js';

/** How attributions are computed. */
export type AttributionMethod = 'integrated-gradients' | 'gradient-x-input' | 'gradient-norm' | 'occlusion' | 'leave-one-out' | 'shapley';

/** What `onProgress` hears: forwards, each with its backward where the method has one. With `steps: 'auto'` the total grows. */
export interface ExplainProgress {
  readonly done: number;
  readonly total: number;
}

/** Options of everything that computes attributions. */
export interface AttributionOptions extends Pick<LimitOptions, 'maxLength' | 'splitSpecialTokens'> {
  /** Default `'integrated-gradients'`. */
  readonly method?: AttributionMethod | undefined;
  /** What stands for the absence of a token; special tokens stay. Default `'pad'`. */
  readonly baseline?: BaselineOption | undefined;
  /** Points of integrated gradients. `'auto'` (default) takes 16 to 256, until the attributions add up and no longer change. */
  readonly steps?: number | 'auto' | undefined;
  /**
   * What gets a value. Default: words, or segments where the text has no blanks between words; sentences for methods that leave parts out of a text of 256
   * tokens or more, and then the tokens of the three sentences of the largest values.
   */
  readonly units?: UnitKind | undefined;
  /** Of Shapley values of more than 8 units: orders that are drawn, each with its reversal. Default 8. */
  readonly pairs?: number | undefined;
  /** Of all that is drawn. Default 1. */
  readonly seed?: number | undefined;
  /** Measure what the units of largest value do to the score: 66 forwards more. Default false. */
  readonly faithfulness?: boolean | undefined;
  /** Reject with NOT_CONVERGED where integrated gradients do not add up. Default false: `converged` says so. */
  readonly strict?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Default `'bulk'`: what somebody waits for goes first. */
  readonly priority?: 'interactive' | 'bulk' | undefined;
  /** Milliseconds after which no forward is begun any more: the call then rejects with DEADLINE. */
  readonly deadlineMs?: number | undefined;
  readonly onProgress?: ((progress: ExplainProgress) => void) | undefined;
}

const kMostSteps = 4096;

const steps: Check<number | 'auto'> = taking({ kind: 'whole', least: 2 }, (value, name) => {
  if (value === 'auto') return value;
  if (Number.isInteger(value) && (value as number) >= 2 && (value as number) <= kMostSteps) return value as number;
  throw wrongOption(`"auto" or a whole number from 2 to ${kMostSteps} for ${name}`, value);
});

/** The check of `method`. */
export const methodCheck = oneOf([
  'integrated-gradients',
  'gradient-x-input',
  'gradient-norm',
  'occlusion',
  'leave-one-out',
  'shapley',
]) satisfies Check<AttributionMethod>;

const { signal, priority, deadlineMs } = callSchema;
const { maxLength, splitSpecialTokens } = limitSchema;

/** The checks of `AttributionOptions`. */
export const attributionSchema = {
  method: methodCheck,
  baseline: baselineCheck,
  steps,
  units: unitKind,
  pairs: integer(1, 4096),
  seed: seedCheck,
  faithfulness: flag,
  strict: flag,
  maxLength,
  splitSpecialTokens,
  signal,
  priority,
  deadlineMs,
  onProgress: callback,
};

/** `AttributionOptions`, checked. */
export type AttributionSettings = Options<typeof attributionSchema>;

/** Tokens that a call may read in all of its steps. */
const kMostTokens = 1 << 22;

/** Whether a call may read so many texts of so many tokens. */
export function isAffordable(perText: number, tokens: number): boolean {
  return perText * tokens <= kMostTokens;
}

/** Errors: INVALID_OPTION where steps times tokens are too many. */
export function requireAffordable(perText: number, tokens: number, what: string): void {
  if (isAffordable(perText, tokens)) return;
  const most = Math.max(1, Math.floor(kMostTokens / tokens));
  throw unexpected('INVALID_OPTION', `at most ${most} ${what} for a text of ${tokens} tokens`, perText, {
    hint: `That would be ${perText * tokens} tokens forward and backward.`,
  });
}

/** What forwards of the call run as; `total` counts them for `onProgress`. */
export function runningOf({ signal: stop, priority: lane = 'bulk', deadlineMs: deadline, onProgress }: AttributionSettings): Running & {
  expect(count: number): void;
} {
  let [done, total] = [0, 0];
  return {
    signal: stop,
    priority: lane,
    get deadlineMs() {
      return deadline?.left;
    },
    expect: (count) => void (total += count),
    onDone: (count) => {
      stop?.throwIfAborted();
      (deadline as Deadline | undefined)?.check();
      done += count;
      total = Math.max(total, done);
      onProgress?.({ done, total });
    },
  };
}
