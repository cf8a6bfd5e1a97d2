import { BerthaError } from '../errors.js';
import { received, unexpected, wrongArgument } from '../expected.js';
import type { Model } from '../models/index.js';
import type { Options } from '../options.js';
import { descending, sigmoid } from './scoring/scores.js';
import { logitFunction, type LogitFunction } from './scoring/logit-functions.js';
import { startCall, type Call } from '../calls/call.js';
import { requireString, type TextPair } from '../calls/inputs.js';
import type { TaskOptions } from '../calls/options.js';
import { requireHead } from './require-head.js';
import { rerankSchema, scoreSchema } from './schemas.js';
import { computeHead } from './task.js';

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
 *
 * @example
 * const ranked = await rerank(model, 'how do cats sleep?', documents, { topK: 3 });
 * console.log(ranked.map(({ index, score }) => [documents[index], score]));
 */
export function rerank(model: Model, query: string, documents: readonly string[], options?: RerankOptions): Promise<RankedDocument[]>;
/** The same for several queries in one call, each with all documents or with a list of its own. */
export function rerank(
  model: Model,
  queries: readonly string[],
  documents: readonly string[] | readonly (readonly string[])[],
  options?: RerankOptions,
): Promise<RankedDocument[][]>;
export async function rerank(
  model: Model,
  query: string | readonly string[],
  documents: readonly string[] | readonly (readonly string[])[],
  options?: RerankOptions,
): Promise<RankedDocument[] | RankedDocument[][]> {
  requireHead(model, 'sequenceClassification', 'rerank');
  const [call, settings] = startCall('rerank', model, options, rerankSchema);
  const { topK, returnDocuments, ...scoring } = settings;
  requireOneLabel(model, 'rerank');
  const isOne = !Array.isArray(query);
  const queries = (isOne ? [query] : query).map((each: unknown, i) =>
    requireString(each, isOne ? 'the query of rerank' : `the query at index ${i} of rerank`),
  );
  if (!Array.isArray(documents)) throw wrongArgument('a list of documents for rerank', documents);
  const hasOwnLists = !isOne && Array.isArray(documents[0]);
  if (hasOwnLists && documents.length !== queries.length) {
    throw unexpected('INVALID_ARG', `${queries.length} lists of documents for rerank`, documents.length);
  }
  const lists = queries.map((_, q): readonly unknown[] => {
    const list: unknown = hasOwnLists ? documents[q] : documents;
    if (Array.isArray(list)) return list;
    throw wrongArgument(`a list of documents for query ${q} of rerank`, list);
  });
  const pairs = lists.flatMap((list, q) =>
    list.map((each, i) => ({ text: queries[q]!, textPair: requireString(each, `the document at index ${i} of rerank`) })),
  );
  const { scores, order, truncated } = await scorePairs(call, pairs, scoring);
  let begin = 0;
  const ranked = lists.map((list) => {
    const first = begin;
    begin += list.length;
    return descending(order.subarray(first, begin))
      .slice(0, topK)
      .map((index) => ({
        index,
        score: scores[first + index]!,
        ...(returnDocuments === true ? { text: pairs[first + index]!.textPair } : {}),
        truncated: truncated[first + index]!,
      }));
  });
  call.finish();
  return isOne ? ranked[0]! : ranked;
}

/** Options of `predictPairs`. */
export interface PairOptions extends TaskOptions {
  /** What becomes of the logits. Default: as `rerank` chooses. */
  readonly activation?: 'sigmoid' | 'none' | undefined;
}

/**
 * What a cross-encoder says of pairs of texts, one score for each, in their order: `CrossEncoder.predict` of sentence-transformers for
 * a model with one label.
 *
 * Errors: as `rerank`.
 */
export async function predictPairs(
  model: Model,
  pairs: readonly (readonly [string, string] | TextPair)[],
  options?: PairOptions,
): Promise<number[]> {
  requireHead(model, 'sequenceClassification', 'predictPairs');
  const [call, settings] = startCall('predictPairs', model, options, scoreSchema);
  requireOneLabel(model, 'predictPairs');
  if (!Array.isArray(pairs)) {
    throw wrongArgument('a list of pairs for predictPairs', pairs);
  }
  const texts = pairs.map((pair: unknown, i) => {
    const given = (pair ?? {}) as { readonly text?: unknown; readonly textPair?: unknown };
    const [first, second, ...rest] = Array.isArray(pair) ? (pair as unknown[]) : [given.text, given.textPair];
    if (rest.length > 0) throw wrongArgument(`two texts for pair ${i} of predictPairs`, pair);
    return {
      text: requireString(first, `the first text of pair ${i} of predictPairs`),
      textPair: requireString(second, `the second text of pair ${i} of predictPairs`),
    };
  });
  const { scores } = await scorePairs(call, texts, settings);
  call.finish();
  return Array.from(scores);
}

interface PairScores {
  readonly scores: Float64Array;
  /** What orders them: the logits, where these tell apart what the scores round to the same. */
  readonly order: Float64Array;
  readonly truncated: readonly boolean[];
}

async function scorePairs(
  call: Call,
  pairs: readonly { readonly text: string; readonly textPair: string }[],
  { activation, ...settings }: Options<typeof scoreSchema>,
): Promise<PairScores> {
  const { model } = call;
  const head = requireHead(model, 'sequenceClassification', call.name);
  const { score, keepsOrder } = readActivation(model, activation);
  const prompt = model.crossEncoder?.prompt ?? '';
  const prompted = prompt === '' ? pairs : pairs.map(({ text, textPair }) => ({ text: prompt + text, textPair }));
  const { encodings, rows } = await computeHead(call, prompted, settings, { values: [head] });
  const logits = Float64Array.from(rows, ([row]) => row![0]!);
  const scores = logits.map(score);
  return { scores, order: keepsOrder ? logits : scores, truncated: encodings.map(({ truncated }) => truncated) };
}

function requireOneLabel(model: Model, name: string): void {
  if (model.config.numLabels !== 1) {
    throw unexpected('INVALID_LABEL', `a cross-encoder with one label for ${name}`, `a model with ${model.config.numLabels}`);
  }
  const { error } = model.crossEncoder ?? {};
  if (error !== undefined) throw new BerthaError(error.code, error.message, { cause: error });
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
  throw unexpected(
    'CONFIG_UNSUPPORTED',
    "an activation of torch without parameters for the activation of a cross-encoder's config",
    received(name),
    { hint: 'The option activation chooses one.' },
  );
}

/** The class that the model's files name, the latest place first; null and what is absent name none. */
function configuredActivation({ crossEncoder, config: { raw } }: Model): unknown {
  const own = (object: unknown, key: string): unknown =>
    typeof object === 'object' && object !== null && Object.hasOwn(object, key) ? (object as Record<string, unknown>)[key] : undefined;
  const named = crossEncoder?.activation ?? own(own(raw, 'sentence_transformers'), 'activation_fn');
  return named ?? own(raw, 'sbert_ce_default_activation_function') ?? undefined;
}
