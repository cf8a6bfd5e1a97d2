import { unexpected } from '../../expected.js';
import { requireModel } from '../../calls/inputs.js';
import { isEmbedder } from '../../embedding/embedder-check.js';
import type { TextClassifier } from '../../learn/text-classifier/text-classifier.js';
import type { Model } from '../../models/index.js';
import { readOptions } from '../../options.js';
import { resolveBaseline } from '../evaluation/baseline.js';
import { withOutput } from '../evaluation/output.js';
import { resolveTarget, type ExplainedTarget, type ExplainInput } from '../evaluation/target.js';
import { attribute, type Attribution } from './attribute.js';
import { explainClassifier, isTextClassifier, type ClassifierExplainOptions, type ClassifierExplanation } from './explain-classifier.js';
import { explainSchema, type ExplainOptions } from './explain-options.js';
import { runningOf } from './options.js';

/** Attributions of what a model's head says of a text. */
export interface Explanation extends Attribution {
  readonly target: ExplainedTarget;
  /** The model's directory. */
  readonly model: string;
}

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
export function explain(model: Model, input: ExplainInput, options?: ExplainOptions): Promise<Explanation>;
/**
 * The same for a classifier of `trainTextClassifier`: what each word adds to its decision, coef · vector + intercept, the gradient going on through the
 * embedder; the words that it counts beside the vector are listed apart.
 *
 * Errors: as for a model.
 */
export function explain(classifier: TextClassifier, text: string, options?: ClassifierExplainOptions): Promise<ClassifierExplanation>;
export async function explain(
  model: Model | TextClassifier,
  input: ExplainInput,
  options?: ExplainOptions,
): Promise<Explanation | ClassifierExplanation> {
  if (isTextClassifier(model)) return explainClassifier(model, input, options);
  if (isEmbedder(model)) {
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
