import { unexpected } from '../../expected.js';
import type { Problem, Running } from '../evaluation/evaluate.js';
import type { ExplainedText, TextRange } from '../reading/explained-text.js';
import { unitsOf, usualUnits, type Unit, type UnitKind } from '../reading/units.js';
import { kFaithfulnessForwards, measureFaithfulness, type Faithfulness } from './faithfulness.js';
import { integratedGradients, pointGradient, type GradientAttribution } from './gradients.js';
import { isAffordable, requireAffordable, type AttributionMethod, type AttributionSettings } from './options.js';
import { kMostExact, occlusion, shapley, type UnitAttribution } from './perturbations.js';

/** What a stretch of a text adds to the score. */
export interface UnitValue {
  readonly text: string;
  /** In UTF-16 units of its text. */
  readonly start: number;
  readonly end: number;
  /** 0 for the first text, 1 for the second. */
  readonly sequence: number;
  readonly value: number;
  /** Shapley's: the standard error of a value that was sampled. */
  readonly error?: number;
}

/** A token as the model read it, with what it adds to the score. */
export interface TokenValue {
  readonly token: string;
  readonly id: number;
  readonly start: number;
  readonly end: number;
  readonly sequence: number | null;
  readonly special: boolean;
  /** Of methods that perturb units of several tokens it is undefined, but for the tokens of the three strongest sentences of a long text. */
  readonly value?: number;
}

/** Attributions of one score. */
export interface Attribution {
  readonly text: string;
  readonly textPair?: string;
  readonly method: AttributionMethod;
  readonly baseline: string;
  /** Points of integrated gradients, 1 for the other gradients, pairs of orders of sampled Shapley values, else 0. */
  readonly steps: number;
  /** The score of the text, and of its baseline: logits, or cosines. */
  readonly score: number;
  readonly baselineScore: number;
  /** The units in the order of the text, with their values. */
  readonly attributions: readonly UnitValue[];
  readonly tokens: readonly TokenValue[];
  /** Σ values - (score - baselineScore): what the attributions leave open. Not a number for `'gradient-norm'`, whose values do not add up to anything. */
  readonly delta: number;
  /** Of integrated gradients: whether the attributions add up within 1 %, and with `steps: 'auto'` no longer change. Else true. */
  readonly converged: boolean;
  /** Whether a part of the text was not read. */
  readonly truncated: boolean;
  /** The parts that were not read. */
  readonly unread: readonly TextRange[];
  readonly faithfulness?: Faithfulness;
  readonly warnings: readonly string[];
}

/** The options' defaults. */
const kPairs = 8;
const kSeed = 1;

/**
 * Attributions of a score. `running.expect` hears how many forwards there will be.
 *
 * Errors: INVALID_OPTION for what costs too much, NOT_CONVERGED, NO_GRADIENT, those of `Session.run`, the signal's reason.
 */
export async function attribute(
  problem: Problem & { readonly running: Running & { expect(count: number): void } },
  settings: AttributionSettings,
  given: readonly string[] = [],
): Promise<Attribution> {
  const { read, running, baseline } = problem;
  const { method = 'integrated-gradients', seed = kSeed, pairs = kPairs } = settings;
  const kind = settings.units ?? defaultUnits(read, method);
  const units = unitsOf(read, kind);
  if (settings.faithfulness === true && units.length > 0) running.expect(kFaithfulnessForwards);
  const found = isGradient(method)
    ? await byGradient(problem, method, settings, units)
    : await byPerturbation(problem, method, units, { pairs, seed, looksInside: settings.units === undefined && kind === 'sentences' });
  const { score, baselineScore, values } = found;
  const difference = score - baselineScore;
  const faithfulness =
    settings.faithfulness === true && units.length > 0 ? await measureFaithfulness(problem, units, { values, score, seed }) : undefined;
  const delta = method === 'gradient-norm' ? NaN : (found.delta ?? values.reduce((sum, value) => sum + value, 0) - difference);
  const warnings = [...given, ...(found.warnings ?? []), ...warningsOf(problem, units, found, difference)];
  if (settings.strict === true && !found.converged) {
    throw unexpected(
      'NOT_CONVERGED',
      `attributions that add up to ${difference} within 1 %`,
      `a rest of ${delta} at ${found.steps} steps`,
      {
        hint: 'Raise steps, or leave strict out.',
      },
    );
  }
  return {
    text: read.text,
    ...(read.textPair === undefined ? {} : { textPair: read.textPair }),
    method,
    baseline: baseline.name,
    steps: found.steps,
    score,
    baselineScore,
    attributions: units.map(({ tokens: _, ...unit }, i) => {
      const error = found.errors?.[i];
      return { ...unit, value: values[i]!, ...(error === undefined ? {} : { error }) };
    }),
    tokens: read.tokens.map((token, i) => {
      const value = found.tokens?.[i];
      return { ...token, ...(value === undefined || Number.isNaN(value) ? {} : { value }) };
    }),
    delta,
    converged: found.converged,
    truncated: read.truncated,
    unread: read.unread,
    ...(faithfulness && { faithfulness }),
    warnings,
  };
}

/** Forwards beside those of the text and of its baseline. */
function forwardsOf(method: Perturbation, units: number, pairs: number): number {
  if (method !== 'shapley') return units;
  return units > kMostExact ? 2 * pairs * (units - 1) : 2 ** units - 2;
}

/** Sentences that are looked into. */
const kStrongest = 3;

/** Values of the tokens of the sentences whose values are largest, all other sentences being there; NaN for all other tokens. */
async function insideStrongest(
  problem: Problem & { readonly running: { expect(count: number): void } },
  method: Perturbation,
  values: Float64Array,
  sentences: readonly Unit[],
  sampling: { readonly pairs: number; readonly seed: number },
): Promise<{ readonly tokens?: Float64Array; readonly warnings?: readonly string[] }> {
  const order = [...sentences.keys()].filter((i) => !Number.isNaN(values[i]));
  const strongest = order.sort((a, b) => Math.abs(values[b]!) - Math.abs(values[a]!)).slice(0, kStrongest);
  const all = unitsOf(problem.read, 'tokens');
  const own = strongest.map((i) => all.filter(({ tokens }) => sentences[i]!.tokens.includes(tokens[0]!)));
  const groups = method === 'shapley' ? own : [own.flat()];
  const forwards = groups.reduce((sum, { length }) => sum + forwardsOf(method, length, sampling.pairs) + 2, 0);
  if (!isAffordable(forwards, problem.read.tokens.length)) {
    return { warnings: [`The tokens of the strongest sentences were not looked at: that would take ${forwards} forwards more.`] };
  }
  problem.running.expect(forwards);
  const tokens = new Float64Array(problem.read.tokens.length).fill(NaN);
  for (const units of groups) {
    const found = method === 'shapley' ? await shapley(problem, units, sampling) : await occlusion(problem, units, method);
    units.forEach((unit, i) => (tokens[unit.tokens[0]!] = found.values[i]!));
  }
  return { tokens };
}

/** Tokens from which a perturbing method takes sentences, each of which is one forward, unless the caller says. */
const kLong = 256;

/** Sentences of long texts whose parts are left out one by one, else words. */
function defaultUnits(read: ExplainedText, method: AttributionMethod): UnitKind {
  const isLong = read.tokens.length >= kLong && !isGradient(method);
  return isLong && unitsOf(read, 'sentences').length > 2 ? 'sentences' : usualUnits(read);
}

interface Found {
  readonly score: number;
  readonly baselineScore: number;
  readonly values: Float64Array;
  readonly errors?: Float64Array;
  readonly tokens?: Float64Array;
  readonly delta?: number;
  readonly steps: number;
  readonly converged: boolean;
  readonly warnings?: readonly string[];
}

type GradientMethod = 'integrated-gradients' | 'gradient-x-input' | 'gradient-norm';
type Perturbation = Exclude<AttributionMethod, GradientMethod>;

function isGradient(method: AttributionMethod): method is GradientMethod {
  return method === 'integrated-gradients' || method === 'gradient-x-input' || method === 'gradient-norm';
}

async function byGradient(
  problem: Problem & { readonly running: { expect(count: number): void } },
  method: GradientMethod,
  { steps = 'auto' }: AttributionSettings,
  units: readonly Unit[],
): Promise<Found> {
  const { running, read } = problem;
  let found: GradientAttribution;
  if (method === 'integrated-gradients') {
    requireAffordable(steps === 'auto' ? 16 : steps, read.tokens.length, 'steps');
    running.expect(2 + (steps === 'auto' ? 48 : steps));
    found = await integratedGradients(problem, steps);
  } else {
    running.expect(2);
    found = await pointGradient(problem, method);
  }
  const values = Float64Array.from(units, ({ tokens }) => tokens.reduce((sum, token) => sum + found.tokens[token]!, 0));
  return { ...found, values };
}

async function byPerturbation(
  problem: Problem & { readonly running: { expect(count: number): void } },
  method: Perturbation,
  units: readonly Unit[],
  { looksInside, ...sampling }: { readonly pairs: number; readonly seed: number; readonly looksInside: boolean },
): Promise<Found> {
  const isSampled = method === 'shapley' && units.length > kMostExact;
  const forwards = forwardsOf(method, units.length, sampling.pairs);
  requireAffordable(forwards + 2, problem.read.tokens.length, 'forwards');
  problem.running.expect(forwards + 2);
  const found: UnitAttribution = method === 'shapley' ? await shapley(problem, units, sampling) : await occlusion(problem, units, method);
  if (looksInside)
    return {
      ...found,
      ...(await insideStrongest(problem, method, found.values, units, sampling)),
      steps: isSampled ? sampling.pairs : 0,
      converged: true,
    };
  const isByToken = units.every(({ tokens }) => tokens.length === 1);
  const tokens = isByToken ? new Float64Array(problem.read.tokens.length) : undefined;
  if (tokens !== undefined) units.forEach((unit, i) => (tokens[unit.tokens[0]!] = found.values[i]!));
  return { ...found, ...(tokens && { tokens }), steps: isSampled ? sampling.pairs : 0, converged: true };
}

function warningsOf({ read }: Problem, units: readonly Unit[], found: Found, difference: number): string[] {
  const warnings: string[] = [];
  if (units.length === 0) warnings.push('The text has no tokens of its own: there is nothing to attribute.');
  else if (Math.abs(difference) < 1e-6) warnings.push('There is nothing to explain against this baseline: its score is that of the text.');
  if (read.truncated) {
    const characters = read.unread.reduce((sum, { start, end }) => sum + end - start, 0);
    warnings.push(`A part of the text was not read, ${characters} characters: only ${read.tokens.length} tokens are explained.`);
  }
  if (!found.converged) warnings.push(`The attributions do not add up within 1 % at ${found.steps} steps.`);
  return warnings;
}
