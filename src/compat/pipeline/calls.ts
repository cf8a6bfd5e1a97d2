import { sentenceSimilarity } from '../../embedding/sentence-similarity.js';
import { unexpected, wrongArgument } from '../../expected.js';
import type { Heads, Model } from '../../models/index.js';
import { flag, oneOf, readOptions } from '../../options.js';
import { answerQuestion, type AnswerOptions, type QuestionInput } from '../../tasks/answer-question.js';
import { classifyText, type ClassifyOptions } from '../../tasks/classify.js';
import { extractFeatures } from '../../tasks/extract-features.js';
import { fillMask } from '../../tasks/fill-mask.js';
import { multipleChoice, predictNextSentence, type ChoiceInput } from '../../tasks/pairs.js';
import { recognizeEntities } from '../../tasks/recognize-entities.js';
import { detectReplacedTokens } from '../../tasks/replaced-tokens.js';
import { rerank } from '../../tasks/rerank.js';
import { readInputs, type TextInput } from '../../calls/inputs.js';
import { classifyZeroShot } from '../../tasks/zero-shot.js';
import { toCamelCase, toSnakeCase, withCamelCase } from '../snake-case.js';
import { quantize_embeddings } from '../tensor/pooling.js';
import { Tensor } from '../tensor/tensor.js';
import { summarizationCall, textGenerationCall, textToTextCall, translationCall } from './generation-calls.js';
import type { OneOrMany, PairInput, TaskName } from './types.js';

/** What a pipeline does, and the head it needs for that. */
export interface TaskDefinition {
  readonly head?: keyof Heads;
  /** Whether the model has to write text. */
  readonly writes?: true;
  readonly call: (model: Model, ...args: never[]) => Promise<unknown>;
}

/** Every pipeline by its name. */
export const TASKS: Readonly<Record<TaskName, TaskDefinition>> = {
  'fill-mask': { head: 'maskedLm', call: fillMaskCall },
  'next-sentence-prediction': { head: 'nextSentence', call: nextSentenceCall },
  'text-classification': { head: 'sequenceClassification', call: classifyCall },
  'zero-shot-classification': { head: 'sequenceClassification', call: zeroShotCall },
  'multiple-choice': { head: 'multipleChoice', call: multipleChoiceCall },
  'replaced-token-detection': { head: 'replacedToken', call: replacedTokensCall },
  'token-classification': { head: 'tokenClassification', call: entitiesCall },
  'question-answering': { head: 'questionAnswering', call: answersCall },
  'feature-extraction': { call: featuresCall },
  'sentence-similarity': {
    call: (model: Model, source: string, sentences: readonly string[], options?: object) =>
      sentenceSimilarity(model, source, sentences, readOptionNames(options)),
  },
  rerank: {
    head: 'sequenceClassification',
    call: (model: Model, query: string, documents: readonly string[], options?: object) =>
      rerank(model, query, documents, readOptionNames(options)),
  },
  translation: { writes: true, call: translationCall },
  summarization: { writes: true, call: summarizationCall },
  'text2text-generation': { writes: true, call: textToTextCall },
  'text-generation': { writes: true, call: textGenerationCall },
};

/** Options of a call with their names as the tasks take them: `top_k`, `topK` and the old `topk` alike. */
function readOptionNames<T extends object>(options: object | undefined): T | undefined {
  const named = toCamelCase<T & { readonly topk?: unknown }>(options);
  if (typeof named !== 'object' || named === null || !Object.hasOwn(named, 'topk')) return named;
  const { topk, ...rest } = named;
  return { topK: topk, ...rest } as unknown as T;
}

/** A result under the keys of transformers.js. */
function shaped(result: object): object {
  return withCamelCase(toSnakeCase(result));
}

async function fillMaskCall(model: Model, input: OneOrMany<PairInput>, options?: object): Promise<unknown> {
  const results = await fillMask(model, readPairs('fill-mask', input), readOptionNames(options));
  const lists = results.map(({ masks }) => {
    const ofMasks = masks.map(({ candidates }) => candidates.map(shaped));
    return ofMasks.length === 1 ? ofMasks[0]! : ofMasks;
  });
  return Array.isArray(input) ? lists : lists[0];
}

async function nextSentenceCall(model: Model, text: string, textPair: string, options?: object): Promise<unknown> {
  const { isNext, notNext } = await predictNextSentence(model, { text, textPair }, readOptionNames(options));
  return shaped({ isNext, notNext });
}

async function classifyCall(model: Model, input: OneOrMany<PairInput>, given?: object): Promise<unknown> {
  const options = readOptionNames<ClassifyOptions>(given);
  const results = await classifyText(model, readPairs('text-classification', input), options);
  if (options?.topK === undefined || options.topK === 1) return results.flatMap(({ labels }) => labels);
  const lists = results.map(({ labels }) => labels);
  return Array.isArray(input) ? lists : lists[0];
}

async function zeroShotCall(model: Model, input: OneOrMany<string>, labels: OneOrMany<string>, options?: object): Promise<unknown> {
  const results = await classifyZeroShot(model, asList(input), labels, readOptionNames(options));
  const lists = results.map(({ sequence, labels: names, scores }) => ({ sequence, labels: names, scores }));
  return Array.isArray(input) ? lists : lists[0];
}

async function multipleChoiceCall(model: Model, text: string, choices: readonly string[], options?: object): Promise<unknown> {
  const { choice, scores } = await multipleChoice(model, { text, choices } satisfies ChoiceInput, readOptionNames(options));
  return { choice, scores };
}

async function replacedTokensCall(model: Model, input: OneOrMany<string>, options?: object): Promise<unknown> {
  const results = await detectReplacedTokens(model, asList(input), readOptionNames(options));
  const lists = results.map(({ replacedTokens }) => replacedTokens);
  return Array.isArray(input) ? lists : lists[0];
}

async function entitiesCall(model: Model, input: OneOrMany<string>, options?: object): Promise<unknown> {
  const results = await recognizeEntities(model, asList(input), readOptionNames(options));
  const lists = results.map(({ entities }) => entities.map(shaped));
  return Array.isArray(input) ? lists : lists[0];
}

async function featuresCall(model: Model, texts: OneOrMany<string>, given?: object): Promise<unknown> {
  const { quantize, precision, ...options } = { ...readOptionNames<Readonly<Record<string, unknown>>>(given) };
  const schema = { quantize: flag, precision: oneOf(['binary', 'ubinary']) };
  const format = readOptions('feature-extraction', { quantize, precision }, schema);
  const { data, dims } = await extractFeatures(model, texts, options);
  const features = new Tensor(data, dims);
  return format.quantize === true ? quantize_embeddings(features, format.precision ?? 'binary') : features;
}

async function answersCall(model: Model, ...args: readonly unknown[]): Promise<unknown> {
  const [first, second] = args;
  const isTogether = (value: unknown) => typeof value === 'object' && value !== null && !Array.isArray(value);
  const together = isTogether(first) || (Array.isArray(first) && first.length > 0 && isTogether(first[0]));
  const options = readOptionNames<AnswerOptions>((together ? second : args[2]) as object | undefined);
  const inputs = together ? [first as QuestionInput].flat() : zipQuestions(first as OneOrMany<string>, second as OneOrMany<string>);
  const results = await answerQuestion(model, inputs, options);
  const answers = results.map(({ answers: each }) => ((options?.topK ?? 1) === 1 ? each[0] : each));
  return Array.isArray(first) || (!together && Array.isArray(second)) ? answers : answers[0];
}

/** Several questions to one context, one question to several contexts, or as many of each. */
function zipQuestions(question: OneOrMany<string>, context: OneOrMany<string>): QuestionInput[] {
  const [questions, contexts] = [asList(question), asList(context)];
  const count = Math.max(questions.length, contexts.length);
  const fits = (list: readonly string[]) => list.length === count || list.length === 1;
  if (!fits(questions) || !fits(contexts)) {
    throw unexpected(
      'INVALID_ARG',
      'as many contexts as questions, or one,',
      `${questions.length} questions and ${contexts.length} contexts`,
    );
  }
  const at = (list: readonly string[], i: number) => list[list.length === 1 ? 0 : i]!;
  return Array.from({ length: count }, (_, i) => ({ question: at(questions, i), context: at(contexts, i) }));
}

/** Texts and `{ text, text_pair }`. */
function readPairs(task: string, input: OneOrMany<PairInput>): TextInput[] {
  return readInputs(task, Array.isArray(input) ? (input as readonly PairInput[]) : [input as PairInput]);
}

function asList(input: OneOrMany<string>): string[] {
  if (typeof input === 'string') return [input];
  if (Array.isArray(input)) return input as string[];
  throw wrongArgument('a string or a list of strings', input);
}
