import { requireModel } from '../../calls/inputs.js';
import { unexpected } from '../../expected.js';
import { spearman } from '../../metrics/correlation.js';
import type { Model } from '../../models/index.js';
import { integer, oneOf, readOptions } from '../../options.js';
import { initializerRange, initialValues } from '../../training/program/initial-values.js';
import { rowProgramOf } from '../engine/engines.js';
import { kMostRows, RowEngine } from '../engine/row-engine.js';
import type { RowProgram } from '../engine/row-program.js';
import { resolveBaseline } from '../evaluation/baseline.js';
import { withOutput } from '../evaluation/output.js';
import { resolveTarget, type ExplainInput } from '../evaluation/target.js';
import { unitsOf, usualUnits } from '../reading/units.js';
import { explainSchema, type ExplainOptions } from './explain-options.js';
import { integrate, onPath, Path } from './gradients.js';
import { runningOf } from './options.js';
import { gaussLegendre } from './quadrature.js';

/** Options of `checkExplanation`. */
export interface CheckOptions extends Pick<
  ExplainOptions,
  | 'target'
  | 'head'
  | 'output'
  | 'baseline'
  | 'units'
  | 'seed'
  | 'maxLength'
  | 'splitSpecialTokens'
  | 'signal'
  | 'priority'
  | 'deadlineMs'
  | 'onProgress'
> {
  /** Default `'integrated-gradients'`. */
  readonly method?: 'integrated-gradients' | 'gradient-x-input' | 'gradient-norm' | undefined;
  /** Points of integrated gradients. Default 32. */
  readonly steps?: number | undefined;
}

/** Whether attributions depend on what a model has learned (Adebayo et al. 2018). */
export interface ExplanationCheck {
  /** Spearman's correlation of the units' values with those of the model with random layers. */
  readonly correlation: number;
  /** Whether the correlation is above 0.5: then the attributions follow the words, not what was learned. */
  readonly suspicious: boolean;
  /** The values of the units, and those with random layers. */
  readonly values: readonly number[];
  readonly randomValues: readonly number[];
}

const { pairs: _pairs, faithfulness: _faithfulness, strict: _strict, ...base } = explainSchema;
const schema = { ...base, method: oneOf(['integrated-gradients', 'gradient-x-input', 'gradient-norm']), steps: integer(2, 4096) };

/** Correlations above it are suspicious. */
const kSuspicious = 0.5;

/**
 * Repeats an explanation with layers drawn at random as a new model's are, the word table kept, and compares the two. The heads are drawn too.
 *
 * Errors: as `explain`; INVALID_ARG for a text of fewer than 3 units, of which a correlation says nothing.
 *
 * @example
 * const { correlation, suspicious } = await checkExplanation(model, 'What a film, and what a terrible script.');
 */
export async function checkExplanation(model: Model, input: ExplainInput, options?: CheckOptions): Promise<ExplanationCheck> {
  requireModel(model, 'checkExplanation');
  const settings = readOptions('checkExplanation', options, schema);
  const { method = 'integrated-gradients', steps = 32, seed = 1, maxLength, splitSpecialTokens, signal, target = {}, head } = settings;
  const running = runningOf({ ...settings, steps });
  running.expect(2 * (method === 'integrated-gradients' ? steps : 1));
  const baseline = resolveBaseline(model, settings.baseline ?? 'pad');
  const context = { call: 'checkExplanation', model, target, reading: { maxLength, splitSpecialTokens, signal }, running };
  const resolved = await resolveTarget(context, input, head);
  const { read } = resolved;
  const score = withOutput(model, resolved, settings.output ?? 'logit');
  const units = unitsOf(read, settings.units ?? usualUnits(read));
  if (units.length < 3) throw unexpected('INVALID_ARG', 'a text of 3 words or more for checkExplanation', units.length);
  const problem = { model, read, score, baseline, running };
  const valuesOn = async (path: Path): Promise<number[]> => {
    const rule = method === 'integrated-gradients' ? gaussLegendre(steps) : undefined;
    const [point] = rule === undefined ? await path.at([1]) : [];
    const tokens = rule === undefined ? (method === 'gradient-norm' ? point!.norms : point!.terms) : await integrate(path, rule);
    return units.map((unit) => unit.tokens.reduce((sum, token) => sum + tokens[token]!, 0));
  };
  const values = await onPath(problem, valuesOn);
  const capacity = Math.max(kMostRows, read.tokens.length);
  const engine = await rowProgramOf(model, score.value, capacity, async (program) => {
    const loaded = await RowEngine.load(program, capacity);
    try {
      await randomize(loaded, program, seed, initializerRange(model.config));
      return loaded;
    } catch (error) {
      loaded.dispose();
      throw error;
    }
  });
  try {
    const randomValues = await valuesOn(await Path.between(problem, engine));
    const correlation = spearman(values, randomValues);
    return { correlation, suspicious: correlation > kSuspicious, values, randomValues };
  } finally {
    engine.dispose();
  }
}

/** Draws all weights but the word table as those of a new model. */
async function randomize(engine: RowEngine, { weights, words }: RowProgram, seed: number, range: number): Promise<void> {
  for (const [id, { name, rows, cols }] of weights.entries()) {
    if (id !== words) await engine.write(id, initialValues(seed, name, rows * cols, range));
  }
}
