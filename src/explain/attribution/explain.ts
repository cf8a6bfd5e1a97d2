import { unexpected } from '../../expected.js';
import { requireModel } from '../../calls/inputs.js';
import { isEmbedder } from '../../embedding/embedder-check.js';
import type { Embedder } from '../../embedding/embed.js';
import type { Heads, Model } from '../../models/index.js';
import { oneOf, readOptions, type Check } from '../../options.js';
import { resolveBaseline } from '../evaluation/baseline.js';
import { outputCheck, withOutput, type ScoreOutput } from '../evaluation/output.js';
import {
  explainedHeads,
  readTarget,
  resolveTarget,
  type ExplainedTarget,
  type ExplainInput,
  type TargetOptions,
} from '../evaluation/target.js';
import { attribute, type Attribution } from './attribute.js';
import { attributionSchema, runningOf, type AttributionOptions } from './options.js';

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

/** Attributions of what a model's head says of a text. */
export interface Explanation extends Attribution {
  readonly target: ExplainedTarget;
  /** The model's directory. */
  readonly model: string;
}

/** The checks of `ExplainOptions`. */
export const explainSchema = {
  ...attributionSchema,
  target: ((value) => readTarget(value)) satisfies Check<TargetOptions>,
  head: oneOf(explainedHeads),
  output: outputCheck,
};

/**
 * Says what each word of a text adds to the score of a model's answer: the logit of a label, of a word at a mask, of a token's label, of a choice, or the
 * start and end logits of an answer. Computes off the event loop, many interpolation steps in one packed batch; a step is a forward and a backward.
 *
 * Errors: NO_HEAD, NO_MASK, NO_GRADIENT, NOT_CONVERGED, INVALID_LABEL, INVALID_ARG, INVALID_OPTION, EMPTY_INPUT, MAX_LENGTH, INPUT_TOO_LARGE, DISPOSED,
 * DEADLINE, OUT_OF_MEMORY, those of reading the model's files, the signal's reason.
 *
 * @example
 * const { attributions, delta } = await explain(model, 'What a film.', { method: 'integrated-gradients', steps: 64 });
 * console.log(attributions.map(({ text, value }) => [text, value]), delta);
 */
export async function explain(model: Model, input: ExplainInput, options?: ExplainOptions): Promise<Explanation> {
  if (isEmbedder(model as Model | Embedder)) {
    throw unexpected('INVALID_ARG', 'a model with a head for explain', 'an embedder', {
      hint: 'explainSimilarity(embedder, a, b) explains why two texts are similar.',
    });
  }
  requireModel(model, 'explain');
  const settings = readOptions('explain', options, explainSchema);
  const running = runningOf(settings);
  const { maxLength, splitSpecialTokens, signal, target = {}, head } = settings;
  const baseline = resolveBaseline(model, settings.baseline ?? 'pad');
  const context = { call: 'explain', model, target, reading: { maxLength, splitSpecialTokens, signal }, running };
  const resolved = await resolveTarget(context, input, head);
  const { read } = resolved;
  const score = withOutput(model, resolved, settings.output ?? 'logit');
  const attribution = await attribute({ model, read, score, baseline, running }, settings, resolved.warnings);
  return { ...attribution, target: resolved.target, model: model.directory };
}
