import type { FastifyInstance } from 'fastify';
import { Type, type Static } from 'typebox';
import { answerQuestion, classifyZeroShot, fillMask, recognizeEntities } from 'bertha-encoder';
import { checked } from '../answers/checked.js';
import { classifyInputs } from '../answers/classify.js';
import { computeWith, type Exchange } from '../answers/exchange.js';
import { readTexts } from '../answers/inputs.js';
import { reading } from '../answers/reading.js';
import { sendVectors } from '../answers/vectors.js';
import { RequestError } from '../failures/failures.js';
import type { Ability } from '../models/abilities.js';
import { sizeOfTexts } from '../requests/compute.js';
import { absent, count, flag, optionalText, text, texts } from '../schemas/fields.js';
import type { ServerState } from '../state.js';
import { embedBody, embedVectors, similarities } from './tei.js';
import { writingPipelines } from './writing/pipelines.js';

const inputs = Type.Union([text, texts], { description: 'a text or a list of texts' });
const model = Type.Optional(Type.String());
const body = Type.Object(
  { inputs: Type.Unknown(), parameters: Type.Optional(Type.Unknown()), options: Type.Optional(Type.Unknown()), model },
  { additionalProperties: true },
);
type Body = Static<typeof body>;

const parameters = <P extends Parameters<typeof Type.Object>[0]>(fields: P) =>
  Type.Optional(Type.Union([Type.Object(fields), Type.Null()]));
const classifyBody = Type.Object({
  inputs,
  parameters: parameters({
    top_k: count,
    function_to_apply: absent(Type.Enum(['sigmoid', 'softmax', 'none'], { description: 'sigmoid, softmax or none' })),
  }),
  model,
});
const strategies = ['none', 'simple', 'first', 'average', 'max'] as const;
const entityBody = Type.Object({
  inputs,
  parameters: parameters({
    aggregation_strategy: absent(Type.Enum([...strategies], { description: strategies.join(', ') })),
    ignore_labels: absent(texts),
    stride: absent(Type.Integer({ minimum: 0, description: 'a whole number from 0' })),
  }),
  model,
});
const labels = Type.Union([text, texts], { description: 'labels, a list of texts' });
const zeroShotBody = Type.Object({
  inputs,
  parameters: Type.Object({ candidate_labels: labels, multi_label: flag, hypothesis_template: optionalText }),
  model,
});
const answerBody = Type.Object({
  inputs: Type.Object({ question: text, context: text }),
  parameters: parameters({ top_k: count, doc_stride: count, max_answer_len: count, max_seq_len: count, handle_impossible_answer: flag }),
  model,
});
const maskBody = Type.Object({ inputs, parameters: parameters({ top_k: count, targets: absent(Type.Union([text, texts])) }), model });
const similarityBody = Type.Object({ inputs: Type.Object({ source_sentence: text, sentences: texts }), parameters: parameters({}), model });

/** Tasks of Hugging Face by the names of its pipelines. */
const tasks: Readonly<Record<string, (exchange: Exchange, body: Body) => Promise<unknown>>> = {
  'text-classification': classify,
  'sentiment-analysis': classify,
  'token-classification': entities,
  ner: entities,
  'zero-shot-classification': zeroShot,
  'question-answering': answer,
  'fill-mask': masks,
  'sentence-similarity': similarity,
  'feature-extraction': features,
  embeddings: features,
  ...writingPipelines,
};

/**
 * Hugging Face's pipelines: `/`, `/pipeline/TASK`, and both below `/models/NAME`. Without a task it is found in the body (a question, labels, a source
 * sentence), else by what the model can do.
 */
export function pipelineRoutes(app: FastifyInstance, state: ServerState): void {
  const config = { family: 'tei', tag: 'Hugging Face', answer: Type.Unknown() } as const;
  const root = { ...config, summary: 'A pipeline of Hugging Face, by the body and the model', hasEvents: true };
  app.post<{ Body: Body }>('/', { schema: { body }, config: root }, (request, reply) => {
    const exchange = { state, request, reply };
    return tasks[taskOf(exchange, request.body)]!(exchange, request.body);
  });
  const params = Type.Object({ task: Type.String() });
  const named = { ...config, summary: 'A pipeline of Hugging Face by its name', hasEvents: true };
  app.post<{ Body: Body; Params: Static<typeof params> }>(
    '/pipeline/:task',
    { schema: { body, params }, config: named },
    (request, reply) => {
      const { task } = request.params;
      if (Object.hasOwn(tasks, task)) return tasks[task]!({ state, request, reply }, request.body);
      const message = `No pipeline is called ${JSON.stringify(task.slice(0, 100))}. Known: ${Object.keys(tasks).join(', ')}.`;
      throw new RequestError({ status: 404, code: 'not_found', type: 'NotFound', message });
    },
  );
}

/** What a model is asked for where nothing else says so: its first ability of these. */
const byAbility: readonly (readonly [Ability, string])[] = [
  ['embed', 'feature-extraction'],
  ['classify', 'text-classification'],
  ['rerank', 'text-classification'],
  ['ner', 'token-classification'],
  ['qa', 'question-answering'],
  ['generate', 'text-generation'],
];

function taskOf({ state, request }: Exchange, { inputs: given, parameters: options, model: name }: Body): string {
  const has = (value: unknown, key: string): boolean => typeof value === 'object' && value !== null && Object.hasOwn(value, key);
  if (has(given, 'source_sentence')) return 'sentence-similarity';
  if (has(given, 'question')) return 'question-answering';
  if (has(options, 'candidate_labels')) return 'zero-shot-classification';
  if (has(options, 'aggregation_strategy')) return 'token-classification';
  if (has(options, 'function_to_apply')) return 'text-classification';
  const wanted = state.pathModels.get(request.raw) ?? name;
  const named = wanted === undefined ? undefined : state.models.loaded.find((each) => each.name === wanted);
  const chosen = named ?? state.models.loaded[0];
  if (chosen === undefined) return 'feature-extraction';
  const { tokenizer } = chosen.model;
  const mask = tokenizer.maskId === undefined ? undefined : tokenizer.idToToken(tokenizer.maskId);
  const first: unknown = Array.isArray(given) ? given[0] : given;
  if (mask !== undefined && chosen.abilities.has('fill-mask') && typeof first === 'string' && first.includes(mask)) return 'fill-mask';
  return byAbility.find(([ability]) => chosen.abilities.has(ability))?.[1] ?? 'feature-extraction';
}

/** One result for one text, a list for a list. */
const like = <T>(given: string | readonly string[], results: readonly T[]): T | readonly T[] =>
  typeof given === 'string' ? results[0]! : results;

const listOf = (given: string | readonly string[]): readonly string[] => readTexts([given].flat(), 'inputs');

async function classify(exchange: Exchange, given: Body): Promise<unknown> {
  const own = checked(exchange.request, classifyBody, given);
  const { top_k: topK, function_to_apply: apply } = own.parameters ?? {};
  // The list of lists is what both Hugging Face clients read, for one text too.
  return classifyInputs(exchange, own, listOf(own.inputs), {
    topK: topK ?? null,
    functionToApply: apply ?? undefined,
  });
}

async function entities(exchange: Exchange, given: Body): Promise<unknown> {
  const own = checked(exchange.request, entityBody, given);
  const { aggregation_strategy: strategy, ignore_labels: ignoreLabels, stride } = own.parameters ?? {};
  const list = listOf(own.inputs);
  const found = await computeWith(exchange, own, 'ner', sizeOfTexts(list), ({ model: ofTokens }, options) =>
    recognizeEntities(ofTokens, list, {
      ...options,
      ...reading(exchange.state, {}),
      aggregationStrategy: strategy ?? 'simple',
      ignoreLabels: ignoreLabels ?? undefined,
      stride: stride ?? undefined,
    }),
  );
  const rows = found.map(({ entities: each }) =>
    each.map(({ entityGroup, ...entity }) => (entityGroup === undefined ? entity : { entity_group: entityGroup, ...entity })),
  );
  return like(own.inputs, rows);
}

async function zeroShot(exchange: Exchange, given: Body): Promise<unknown> {
  const own = checked(exchange.request, zeroShotBody, given);
  const { candidate_labels: candidates, multi_label: multiLabel, hypothesis_template: hypothesisTemplate } = own.parameters;
  const list = listOf(own.inputs);
  const found = await computeWith(exchange, own, 'zero-shot', sizeOfTexts(list), ({ model: ofInference }, options) =>
    classifyZeroShot(ofInference, list, candidates, {
      ...options,
      ...reading(exchange.state, {}),
      multiLabel: multiLabel ?? undefined,
      hypothesisTemplate: hypothesisTemplate ?? undefined,
    }),
  );
  const rows = found.map(({ labels: names, scores }) => names.map((label, i) => ({ label, score: scores[i]! })));
  // A list of one is what the JavaScript client makes of one text.
  return rows.length === 1 ? rows[0] : rows;
}

async function answer(exchange: Exchange, given: Body): Promise<unknown> {
  const own = checked(exchange.request, answerBody, given);
  const options = own.parameters ?? {};
  const { question, context } = own.inputs;
  const { answers } = await computeWith(exchange, own, 'qa', sizeOfTexts([question, context]), ({ model: ofAnswers }, work) =>
    answerQuestion(
      ofAnswers,
      { question, context },
      {
        ...work,
        splitSpecialTokens: exchange.state.settings.splitSpecialTokens,
        topK: options.top_k ?? undefined,
        docStride: options.doc_stride ?? undefined,
        maxAnswerLen: options.max_answer_len ?? undefined,
        maxSeqLen: options.max_seq_len ?? undefined,
        handleImpossibleAnswer: options.handle_impossible_answer ?? undefined,
      },
    ),
  );
  return (options.top_k ?? 1) === 1 ? (answers[0] ?? { answer: '', score: 0, start: 0, end: 0 }) : answers;
}

async function masks(exchange: Exchange, given: Body): Promise<unknown> {
  const own = checked(exchange.request, maskBody, given);
  const { top_k: topK, targets } = own.parameters ?? {};
  const list = listOf(own.inputs);
  const found = await computeWith(exchange, own, 'fill-mask', sizeOfTexts(list), ({ model: ofMasks }, options) =>
    fillMask(ofMasks, list, {
      ...options,
      topK: topK ?? undefined,
      targets: typeof targets === 'string' ? [targets] : (targets ?? undefined),
    }),
  );
  const rows = found.map(({ masks: each }) => {
    const candidates = each.map((mask) => mask.candidates.map(({ tokenStr, ...candidate }) => ({ ...candidate, token_str: tokenStr })));
    return candidates.length === 1 ? candidates[0]! : candidates;
  });
  return like(own.inputs, rows);
}

function similarity(exchange: Exchange, given: Body): Promise<unknown> {
  const own = checked(exchange.request, similarityBody, given);
  return similarities(exchange, own, own.inputs);
}

async function features(exchange: Exchange, given: Body): Promise<unknown> {
  const options = typeof given.parameters === 'object' && given.parameters !== null ? given.parameters : {};
  return sendVectors(exchange.reply, await embedVectors(exchange, checked(exchange.request, embedBody, { ...options, ...given })));
}
