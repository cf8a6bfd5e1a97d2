import { BerthaError } from '../errors.js';
import type { Model } from '../models/index.js';
import { flag, integer, oneOf, readOptions, received } from '../options.js';
import { descending, sigmoid } from './scores.js';
import { logitFunction, type LogitFunction } from './scoring/logit-functions.js';
import { compute, encodeInputs, requireHead, requireString, taskSchema, type TaskOptions } from './task-call.js';

/** Options of `rerank`. */
export interface RerankOptions extends TaskOptions {
  /** Documents to return. Default: all. */
  readonly topK?: number | undefined;
  /** Put each document's text into its result. Default false. */
  readonly returnDocuments?: boolean | undefined;
  /** What becomes of the logits. Default: as sentence-transformers chooses, see `rerank`. */
  readonly activation?: 'sigmoid' | 'none' | undefined;
}

/** A document and how well it answers the query. */
export interface RankedDocument {
  /** Its place in the list that was given. */
  readonly index: number;
  readonly score: number;
  readonly text?: string;
  /** Whether query or document were cut. */
  readonly truncated: boolean;
}

/**
 * Orders documents by how well they answer a query: a cross-encoder reads each of them together with the query. The activation is the one
 * that config_sentence_transformers.json names where CrossEncoder saved the directory (`activation_fn`), else config.json
 * (`sentence_transformers.activation_fn`, or the older `sbert_ce_default_activation_function`), else the sigmoid. A cross-encoder's
 * default prompt goes before the query.
 *
 * Errors: NO_HEAD, INVALID_LABEL (a model with more than one label), CONFIG_UNSUPPORTED (an activation that is not torch's, modules after
 * the classifier), INVALID_ARG, INVALID_OPTION, MAX_LENGTH, INPUT_TOO_LARGE, DISPOSED, and those of `forward`.
 */
export async function rerank(
  model: Model,
  query: string,
  documents: readonly string[],
  options?: RerankOptions,
): Promise<RankedDocument[]> {
  const head = requireHead(model, 'sequenceClassification', 'rerank');
  const settings = readOptions('rerank', options, {
    ...taskSchema,
    topK: integer(1, Number.MAX_SAFE_INTEGER),
    returnDocuments: flag,
    activation: oneOf(['sigmoid', 'none']),
  });
  if (model.config.numLabels !== 1) {
    throw new BerthaError(
      'INVALID_LABEL',
      `Expected a cross-encoder with one label for rerank but received a model with ${model.config.numLabels}.`,
    );
  }
  const { error } = model.crossEncoder ?? {};
  if (error !== undefined) throw new BerthaError(error.code, error.message, { cause: error });
  const text = (model.crossEncoder?.prompt ?? '') + requireString(query, 'the query of rerank');
  if (!Array.isArray(documents))
    throw new BerthaError('INVALID_ARG', `Expected a list of documents for rerank but received ${received(documents)}.`);
  const pairs = documents.map((each: unknown, i) => ({ text, textPair: requireString(each, `the document at index ${i} of rerank`) }));
  const activation = readActivation(model, settings.activation);
  const encodings = await encodeInputs(model, 'rerank', pairs, settings);
  const logits = Float64Array.from(await compute(model, encodings, [head], settings), ([row]) => row![0]!);
  const scores = logits.map(activation.score);
  return descending(activation.keepsOrder ? logits : scores)
    .slice(0, settings.topK)
    .map((index) => ({
      index,
      score: scores[index]!,
      ...(settings.returnDocuments === true ? { text: pairs[index]!.textPair } : {}),
      truncated: encodings[index]!.truncated,
    }));
}

interface Activation {
  readonly score: LogitFunction;
  /** Whether a larger logit always has a larger score, so that the logits give the order, also where scores round to the same. */
  readonly keepsOrder: boolean;
}

function readActivation(model: Model, asked: 'sigmoid' | 'none' | undefined): Activation {
  const name = asked === undefined ? configuredActivation(model) : undefined;
  if (name === undefined) return { score: asked === 'none' ? (logit) => logit : sigmoid, keepsOrder: true };
  const score = typeof name === 'string' ? logitFunction(name) : undefined;
  if (score !== undefined) return { score, keepsOrder: /\.(Identity|Sigmoid)$/.test(String(name)) };
  throw new BerthaError(
    'CONFIG_UNSUPPORTED',
    `Expected an activation of torch without parameters for the activation of a cross-encoder's config but received ${received(name)}. The option activation chooses one.`,
  );
}

/** The class that the model's files name, the latest place first; null and what is absent name none. */
function configuredActivation({ crossEncoder, config: { raw } }: Model): unknown {
  const own = (object: unknown, key: string): unknown =>
    typeof object === 'object' && object !== null && Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined;
  const named = crossEncoder?.activation ?? own(own(raw, 'sentence_transformers'), 'activation_fn');
  return named ?? own(raw, 'sbert_ce_default_activation_function') ?? undefined;
}
