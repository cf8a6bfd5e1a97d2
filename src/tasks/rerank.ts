import { torchActivation, type ActivationName } from '../checkpoint/activation.js';
import { BerthaError } from '../errors.js';
import type { Model } from '../models/index.js';
import { flag, integer, oneOf, readOptions, received } from '../options.js';
import { descending, sigmoid } from './scores.js';
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
 * that config.json names (`sentence_transformers.activation_fn`, or the older `sbert_ce_default_activation_function`), else the sigmoid.
 *
 * Errors: NO_HEAD, INVALID_LABEL (a model with more than one label), CONFIG_UNSUPPORTED (another activation), INVALID_ARG, INVALID_OPTION,
 * MAX_LENGTH, INPUT_TOO_LARGE, DISPOSED, and those of `forward`.
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
  const text = requireString(query, 'the query of rerank');
  if (!Array.isArray(documents))
    throw new BerthaError('INVALID_ARG', `Expected a list of documents for rerank but received ${received(documents)}.`);
  const pairs = documents.map((each: unknown, i) => ({ text, textPair: requireString(each, `the document at index ${i} of rerank`) }));
  const activation = settings.activation ?? configuredActivation(model);
  const encodings = await encodeInputs(model, 'rerank', pairs, settings);
  const logits = Float64Array.from(await compute(model, encodings, [head], settings), ([row]) => row![0]!);
  const scores = activation === 'sigmoid' ? logits.map(sigmoid) : logits;
  return descending(logits)
    .slice(0, settings.topK)
    .map((index) => ({
      index,
      score: scores[index]!,
      ...(settings.returnDocuments === true ? { text: pairs[index]!.textPair } : {}),
      truncated: encodings[index]!.truncated,
    }));
}

function configuredActivation({ config: { raw } }: Model): 'sigmoid' | 'none' {
  const own = (object: unknown, key: string): unknown =>
    typeof object === 'object' && object !== null && Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined;
  const name = own(own(raw, 'sentence_transformers'), 'activation_fn') ?? own(raw, 'sbert_ce_default_activation_function');
  if (name === undefined || name === null) return 'sigmoid';
  const activation: ActivationName | undefined = typeof name === 'string' ? torchActivation(name) : undefined;
  if (activation === 'sigmoid' || activation === 'none') return activation;
  throw new BerthaError(
    'CONFIG_UNSUPPORTED',
    `Expected Sigmoid or Identity for the activation of config.json but received ${received(name)}. The option activation chooses one.`,
  );
}
