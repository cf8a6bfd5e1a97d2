import type { Heads } from '../../models/index.js';
import { oneOf, type Check } from '../../options.js';
import { outputCheck, type ScoreOutput } from '../evaluation/output.js';
import { explainedHeads, readTarget, type TargetOptions } from '../evaluation/target.js';
import { attributionSchema, type AttributionOptions } from './options.js';

/** Options of `explain`. */
export interface ExplainOptions extends AttributionOptions {
  /** What of the model's answer is explained. Default: its own answer, the best label, word, entity, choice or span. */
  readonly target?: string | TargetOptions | undefined;
  /** The head that is explained. Default: by the input and the target, else the model's own. */
  readonly head?: keyof Heads | undefined;
  /**
   * What is explained of the answer: the `'logit'` (default), its `'probability'` or `'log-probability'`. A sure model's probability is flat where the text
   * stands. Of choices, the other choices stay as they are.
   */
  readonly output?: ScoreOutput | undefined;
}

/** The checks of `ExplainOptions`. */
export const explainSchema = {
  ...attributionSchema,
  target: ((value) => readTarget(value)) satisfies Check<TargetOptions>,
  head: oneOf(explainedHeads),
  output: outputCheck,
};
