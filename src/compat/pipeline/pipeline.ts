import { readPretrained, type PretrainedOptions } from '../loading/options.js';
import { Tensor } from '../tensor/index.js';
import { warnOnce } from '../../runtime/warn-once.js';
import { BerthaError } from '../../errors.js';
import type { ProgressEvent } from '../../hub/index.js';
import { exampleModels } from '../../hub/example-models.js';
import { isModel, loadModel, type Heads, type Model } from '../../models/index.js';
import { received, unknownName } from '../../options.js';
import { answerQuestion, type Answer, type AnswerOptions, type QuestionInput } from '../../tasks/answer-question.js';
import { classifyText, type ClassifyOptions, type LabelScore } from '../../tasks/classify.js';
import type { Entity } from '../../tasks/entities.js';
import { extractFeatures, type FeatureOptions } from '../../tasks/extract-features.js';
import { fillMask, type FillMaskOptions, type MaskCandidate } from '../../tasks/fill-mask.js';
import { multipleChoice, predictNextSentence, type ChoiceInput } from '../../tasks/pairs.js';
import { recognizeEntities, type EntityOptions } from '../../tasks/recognize-entities.js';
import { detectReplacedTokens, type ReplacedToken } from '../../tasks/replaced-tokens.js';
import { rerank, type RankedDocument, type RerankOptions } from '../../tasks/rerank.js';
import { sentenceSimilarity } from '../../embedding/sentence-similarity.js';
import { toCamelCase, toSnakeCase, type Snake } from '../snake-case.js';
import { readInputs, requireHead, type TaskOptions, type TextInput, type TextPair } from '../../tasks/task-call.js';
import { classifyZeroShot, type ZeroShotOptions } from '../../tasks/zero-shot.js';
import type { Tokenizer } from '../../tokenizer/index.js';

type OneOrMany<T> = T | readonly T[];
/** A pair as transformers spells it. */
type PairInput = TextInput | Snake<TextPair>;

/** Options under their names in Python or in camel case, and transformers.js's former `topk`. */
type Named<T> = T & Snake<T> & { readonly topk?: T extends { readonly topK?: infer K } ? K : never };

/** What every pipeline has besides being a function. */
export interface PipelineBase {
  readonly task: TaskName;
  readonly model: Model;
  readonly tokenizer: Tokenizer;
  /** Gives the model's memory back, if the pipeline loaded it; a model that was handed in stays. */
  dispose(): Promise<void>;
  [Symbol.asyncDispose](): Promise<void>;
}

/** The call of each pipeline: options and results as transformers.js names them. */
export interface PipelineCalls {
  /** Per text its candidates; with several masks a list a mask. */
  'fill-mask': {
    (text: PairInput, options?: Named<FillMaskOptions>): Promise<Snake<MaskCandidate>[] | Snake<MaskCandidate>[][]>;
    (texts: readonly PairInput[], options?: Named<FillMaskOptions>): Promise<(Snake<MaskCandidate>[] | Snake<MaskCandidate>[][])[]>;
  };
  'next-sentence-prediction': (
    text: string,
    textPair: string,
    options?: Named<TaskOptions>,
  ) => Promise<{ is_next: number; not_next: number }>;
  /** With `top_k` 1 (default) one label a text, side by side; otherwise a list of labels, for a list of texts a list of lists. */
  'text-classification': (texts: OneOrMany<PairInput>, options?: Named<ClassifyOptions>) => Promise<LabelScore[] | LabelScore[][]>;
  'zero-shot-classification': {
    (text: string, labels: OneOrMany<string>, options?: Named<ZeroShotOptions>): Promise<ZeroShotOutput>;
    (texts: readonly string[], labels: OneOrMany<string>, options?: Named<ZeroShotOptions>): Promise<ZeroShotOutput[]>;
  };
  'multiple-choice': (
    text: string,
    choices: readonly string[],
    options?: Named<TaskOptions>,
  ) => Promise<{ choice: number; scores: readonly number[] }>;
  'replaced-token-detection': {
    (text: string, options?: Named<TaskOptions>): Promise<ReplacedToken[]>;
    (texts: readonly string[], options?: Named<TaskOptions>): Promise<ReplacedToken[][]>;
  };
  'token-classification': {
    (text: string, options?: Named<EntityOptions>): Promise<Snake<Entity>[]>;
    (texts: readonly string[], options?: Named<EntityOptions>): Promise<Snake<Entity>[][]>;
  };
  /** One answer with `top_k` 1 (default), else a list; for lists of questions and contexts a list of these. */
  'question-answering': (
    question: OneOrMany<string>,
    context: OneOrMany<string>,
    options?: Named<AnswerOptions>,
  ) => Promise<Answer | Answer[] | (Answer | Answer[])[]>;
  'feature-extraction': (texts: OneOrMany<string>, options?: Named<FeatureOptions>) => Promise<Tensor<Float32Array>>;
  'sentence-similarity': (source: string, sentences: readonly string[], options?: Named<TaskOptions>) => Promise<number[]>;
  rerank: (query: string, documents: readonly string[], options?: Named<RerankOptions>) => Promise<RankedDocument[]>;
}

interface ZeroShotOutput {
  readonly sequence: string;
  readonly labels: readonly string[];
  readonly scores: readonly number[];
}

/** The names `pipeline` takes, besides their aliases. */
export type TaskName = keyof PipelineCalls;

/** Other names of tasks, as in transformers. */
export interface TaskAliases {
  'sentiment-analysis': 'text-classification';
  ner: 'token-classification';
  embeddings: 'feature-extraction';
  'text-ranking': 'rerank';
}

type Resolved<T extends TaskName | keyof TaskAliases> = T extends keyof TaskAliases ? TaskAliases[T] : T extends TaskName ? T : never;

/** A task bound to a model: call it with texts. */
export type Pipeline<T extends TaskName> = PipelineCalls[T] & PipelineBase;

/** How `pipeline` loads its model. */
export interface PipelineOptions extends Omit<PretrainedOptions, 'progress_callback'> {
  /** Hears how a download goes, and `ready` at the end. */
  readonly progress_callback?: ((event: ProgressEvent | ReadyEvent) => void) | null | undefined;
}

/** The last thing that `progress_callback` hears. */
export interface ReadyEvent {
  readonly status: 'ready';
  readonly task: string;
  readonly model: string;
}

const ALIASES: TaskAliases = {
  'sentiment-analysis': 'text-classification',
  ner: 'token-classification',
  embeddings: 'feature-extraction',
  'text-ranking': 'rerank',
};

interface TaskDefinition {
  readonly head?: keyof Heads;
  readonly call: (model: Model, ...args: never[]) => Promise<unknown>;
}

const TASKS: Readonly<Record<TaskName, TaskDefinition>> = {
  'fill-mask': { head: 'maskedLm', call: fillMaskCall },
  'next-sentence-prediction': { head: 'nextSentence', call: nextSentenceCall },
  'text-classification': { head: 'sequenceClassification', call: classifyCall },
  'zero-shot-classification': { head: 'sequenceClassification', call: zeroShotCall },
  'multiple-choice': { head: 'multipleChoice', call: multipleChoiceCall },
  'replaced-token-detection': { head: 'replacedToken', call: replacedTokensCall },
  'token-classification': { head: 'tokenClassification', call: entitiesCall },
  'question-answering': { head: 'questionAnswering', call: answersCall },
  'feature-extraction': {
    call: async (model: Model, texts: OneOrMany<string>, options?: object) => {
      const { data, dims } = await extractFeatures(model, texts, readOptionNames(options));
      return new Tensor(data, dims);
    },
  },
  'sentence-similarity': {
    call: (model: Model, source: string, sentences: readonly string[], options?: object) =>
      sentenceSimilarity(model, source, sentences, readOptionNames(options)),
  },
  rerank: {
    head: 'sequenceClassification',
    call: (model: Model, query: string, documents: readonly string[], options?: object) =>
      rerank(model, query, documents, readOptionNames(options)),
  },
};

/**
 * A task with its model, named and called as in transformers.js; the options and keys of results are those too (`top_k`, `token_str`).
 * Without a model the task's default one: the bundled one where vectors are wanted, else one of the Hub, said by a warning. For results with token counts and truncation use the functions
 * (`fillMask`, `classifyText`, …); here `on_truncate: 'warn'` or `'error'` tells of it.
 *
 * Errors: INVALID_OPTION (an unknown task), NO_HEAD, INVALID_ARG, and those of `loadModel`.
 */
export async function pipeline<T extends TaskName | keyof TaskAliases>(
  task: T,
  model?: string | Model,
  options?: PipelineOptions,
): Promise<Pipeline<Resolved<T>>> {
  const name = (Object.hasOwn(ALIASES, task) ? ALIASES[task as keyof TaskAliases] : task) as TaskName;
  if (!Object.hasOwn(TASKS, name)) throw unknownName('task', String(task), [...Object.keys(TASKS), ...Object.keys(ALIASES)]);
  const { head, call } = TASKS[name];
  const isOwn = !isModel(model);
  const loaded = isOwn ? await loadOwn(name, model, options, head !== undefined) : model;
  try {
    if (head !== undefined) requireHead(loaded, head, name);
    if (isOwn) options?.progress_callback?.({ status: 'ready', task: name, model: model ?? loaded.directory });
  } catch (error) {
    if (isOwn) loaded.dispose();
    throw error;
  }
  const dispose = async (): Promise<void> => {
    if (isOwn) loaded.dispose();
  };
  const run = (...args: never[]) => call(loaded, ...args);
  return Object.assign(run, {
    task: name,
    model: loaded,
    tokenizer: loaded.tokenizer,
    dispose,
    [Symbol.asyncDispose]: dispose,
  }) as unknown as Pipeline<Resolved<T>>;
}

/** Models that a message names for tasks that have no default. */
const kSuggestions: Readonly<Partial<Record<TaskName, string>>> = {
  'multiple-choice': 'a BertForMultipleChoice such as "stefandi/bert-base-uncased-finetuned-swag"',
  'replaced-token-detection': 'an ElectraForPreTraining such as "google/electra-small-discriminator"',
};

/** The model of a task that was asked for without one; undefined is the bundled one. Errors: INVALID_ARG where a task has none. */
function defaultModel(task: TaskName): string | undefined {
  if (TASKS[task].head === undefined) return undefined;
  const model = exampleModels[task];
  if (model === undefined) {
    throw new BerthaError(
      'INVALID_ARG',
      `Expected a model for ${task}, which has no default, but received none. Name ${kSuggestions[task]}.`,
    );
  }
  warnOnce('BERTHA_MODEL', task, `No model was named for ${task}: ${JSON.stringify(model)} is loaded.`);
  return model;
}

async function loadOwn(task: TaskName, name: string | undefined, given: PipelineOptions | undefined, heads: boolean): Promise<Model> {
  const { model, options } = await readPretrained(name ?? defaultModel(task), given);
  return loadModel(model, { heads, ...options });
}

/** Options of a call with their names as the tasks take them: `top_k`, `topK` and the old `topk` alike. */
function readOptionNames<T extends object>(options: object | undefined): T | undefined {
  const named = toCamelCase<T & { readonly topk?: unknown }>(options);
  if (typeof named !== 'object' || named === null || !Object.hasOwn(named, 'topk')) return named;
  const { topk, ...rest } = named;
  return { topK: topk, ...rest } as unknown as T;
}

async function fillMaskCall(model: Model, input: OneOrMany<PairInput>, options?: object): Promise<unknown> {
  const results = await fillMask(model, readPairs('fill-mask', input), readOptionNames(options));
  const shaped = results.map(({ masks }) => {
    const lists = masks.map(({ candidates }) => candidates.map(toSnakeCase));
    return lists.length === 1 ? lists[0]! : lists;
  });
  return Array.isArray(input) ? shaped : shaped[0];
}

async function nextSentenceCall(model: Model, text: string, textPair: string, options?: object): Promise<unknown> {
  const { isNext, notNext } = await predictNextSentence(model, { text, textPair }, readOptionNames(options));
  return { is_next: isNext, not_next: notNext };
}

async function classifyCall(model: Model, input: OneOrMany<PairInput>, given?: object): Promise<unknown> {
  const options = readOptionNames<ClassifyOptions>(given);
  const results = await classifyText(model, readPairs('text-classification', input), options);
  if (options?.topK === undefined || options.topK === 1) return results.flatMap(({ labels }) => labels);
  const shaped = results.map(({ labels }) => labels);
  return Array.isArray(input) ? shaped : shaped[0];
}

async function zeroShotCall(model: Model, input: OneOrMany<string>, labels: OneOrMany<string>, options?: object): Promise<unknown> {
  const results = await classifyZeroShot(model, asList(input), labels, readOptionNames(options));
  const shaped = results.map(({ sequence, labels: names, scores }) => ({ sequence, labels: names, scores }));
  return Array.isArray(input) ? shaped : shaped[0];
}

async function multipleChoiceCall(model: Model, text: string, choices: readonly string[], options?: object): Promise<unknown> {
  const { choice, scores } = await multipleChoice(model, { text, choices } satisfies ChoiceInput, readOptionNames(options));
  return { choice, scores };
}

async function replacedTokensCall(model: Model, input: OneOrMany<string>, options?: object): Promise<unknown> {
  const results = await detectReplacedTokens(model, asList(input), readOptionNames(options));
  const shaped = results.map(({ replacedTokens }) => replacedTokens);
  return Array.isArray(input) ? shaped : shaped[0];
}

async function entitiesCall(model: Model, input: OneOrMany<string>, options?: object): Promise<unknown> {
  const results = await recognizeEntities(model, asList(input), readOptionNames(options));
  const shaped = results.map(({ entities }) => entities.map(toSnakeCase));
  return Array.isArray(input) ? shaped : shaped[0];
}

async function answersCall(model: Model, question: OneOrMany<string>, context: OneOrMany<string>, given?: object): Promise<unknown> {
  const options = readOptionNames<AnswerOptions>(given);
  const results = await answerQuestion(model, zipQuestions(question, context), options);
  const shaped = results.map(({ answers }) => ((options?.topK ?? 1) === 1 ? answers[0] : answers));
  return Array.isArray(question) || Array.isArray(context) ? shaped : shaped[0];
}

/** Several questions to one context, one question to several contexts, or as many of each. */
function zipQuestions(question: OneOrMany<string>, context: OneOrMany<string>): QuestionInput[] {
  const [questions, contexts] = [asList(question), asList(context)];
  const count = Math.max(questions.length, contexts.length);
  if (questions.length !== count && questions.length !== 1) throw unequal(questions.length, contexts.length);
  if (contexts.length !== count && contexts.length !== 1) throw unequal(questions.length, contexts.length);
  return Array.from({ length: count }, (_, i) => ({
    question: questions.length === 1 ? questions[0]! : questions[i]!,
    context: contexts.length === 1 ? contexts[0]! : contexts[i]!,
  }));
}

function unequal(questions: number, contexts: number): BerthaError {
  return new BerthaError(
    'INVALID_ARG',
    `Expected as many contexts as questions, or one, but received ${questions} questions and ${contexts} contexts.`,
  );
}

/** Texts and `{ text, text_pair }`. */
function readPairs(task: string, input: OneOrMany<PairInput>): TextInput[] {
  return readInputs(task, Array.isArray(input) ? (input as readonly PairInput[]) : [input as PairInput]);
}

function asList(input: OneOrMany<string>): string[] {
  if (typeof input === 'string') return [input];
  if (Array.isArray(input)) return input as string[];
  throw new BerthaError('INVALID_ARG', `Expected a string or a list of strings but received ${received(input)}.`);
}
