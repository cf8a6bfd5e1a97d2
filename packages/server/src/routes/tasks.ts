import type { FastifyInstance } from 'fastify';
import { Type } from 'typebox';
import {
  answerQuestion,
  classifyText,
  classifyZeroShot,
  detectReplacedTokens,
  fillMask,
  multipleChoice,
  predictNextSentence,
  recognizeEntities,
  semanticSearch,
} from 'bertha-encoder';
import { computeWith, type Exchange } from '../answers/exchange.js';
import { streamTokens } from '../answers/token-events.js';
import { tellTruncated } from '../answers/truncated.js';
import { empty, invalid } from '../failures/failures.js';
import type { Ability } from '../models/abilities.js';
import { sizeOfTexts, type WorkOptions } from '../requests/compute.js';
import { choice, number, text, textOrPair, texts, trueOrFalse, whole } from '../schemas/fields.js';
import type { ServerState } from '../state.js';
import { explainRoutes } from './explain.js';
import { featureRoutes } from './features.js';
import { generationTasks } from './writing/tasks.js';
import type { Task } from '../requests/task.js';

const limits = {
  maxLength: whole(1),
  onTruncate: choice('truncate', 'error'),
  truncationSide: choice('left', 'right'),
  splitSpecialTokens: trueOrFalse,
};
const pair = Type.Object({ text, textPair: text }, { additionalProperties: false, description: 'an object with text and textPair' });
const question = Type.Object(
  { question: text, context: text },
  { additionalProperties: false, description: 'an object with question and context' },
);
const choices = Type.Object({ text, choices: texts }, { additionalProperties: false, description: 'an object with text and choices' });

/** The library's tasks, with its own names of options and results: docs/tasks.md. */
const tasks: Readonly<Record<string, Task>> = {
  'fill-mask': {
    ability: 'fill-mask',
    summary: 'Masked words',
    input: textOrPair,
    options: { ...limits, topK: whole(1), targets: texts },
    run: (model, inputs, options) => fillMask(model, inputs, options),
  },
  nsp: {
    ability: 'nsp',
    summary: 'Whether a sentence follows another',
    input: pair,
    options: limits,
    run: (model, inputs, options) => predictNextSentence(model, inputs, options),
  },
  classify: {
    ability: 'classify',
    summary: 'Labels of texts and pairs',
    input: textOrPair,
    options: {
      ...limits,
      topK: Type.Union([whole(1), Type.Null()], { description: 'a whole number from 1, or null for all' }),
      functionToApply: choice('softmax', 'sigmoid', 'none'),
    },
    run: (model, inputs, options) => classifyText(model, inputs, options),
  },
  'zero-shot': {
    ability: 'zero-shot',
    summary: 'Labels of your own',
    input: text,
    required: { labels: Type.Union([text, texts], { description: 'labels, a list of texts' }) },
    options: { ...limits, hypothesisTemplate: text, multiLabel: trueOrFalse },
    run: (model, inputs, options) => {
      const { labels, ...rest } = options as { labels: readonly string[] };
      return classifyZeroShot(model, inputs, labels, rest);
    },
  },
  ner: {
    ability: 'ner',
    summary: 'Entities, with their places',
    input: text,
    options: { ...limits, aggregationStrategy: choice('none', 'simple', 'first', 'average', 'max'), ignoreLabels: texts, stride: whole(0) },
    run: (model, inputs, options) => recognizeEntities(model, inputs, options),
  },
  qa: {
    ability: 'qa',
    summary: 'Answers, slices of a context',
    input: question,
    options: {
      splitSpecialTokens: trueOrFalse,
      topK: whole(1),
      docStride: whole(0),
      maxAnswerLen: whole(1),
      maxSeqLen: whole(1),
      maxQuestionLen: whole(1),
      handleImpossibleAnswer: trueOrFalse,
      alignToWords: trueOrFalse,
      equalAnswers: choice('sum', 'best'),
    },
    run: (model, inputs, options) => answerQuestion(model, inputs, options),
  },
  'multiple-choice': {
    ability: 'multiple-choice',
    summary: 'The best of several answers',
    input: choices,
    options: limits,
    run: (model, inputs, options) => multipleChoice(model, inputs, options),
  },
  'replaced-tokens': {
    ability: 'replaced-tokens',
    summary: 'Tokens that look out of place',
    input: text,
    options: limits,
    run: (model, inputs, options) => detectReplacedTokens(model, inputs, options),
  },
  ...generationTasks,
};

interface TaskBody {
  readonly inputs: unknown;
  readonly model?: string | null;
  readonly stream?: boolean;
}

/** `/tasks/NAME`: the library's tasks under its own names. Strict: a field that no option has is refused, with the name that was probably meant. */
export function taskRoutes(app: FastifyInstance, state: ServerState): void {
  for (const [name, task] of Object.entries(tasks)) {
    const { summary, input, required = {}, options, stream } = task;
    const known = stream === undefined ? options : { ...options, stream: trueOrFalse };
    const optional = Object.fromEntries(Object.entries(known).map(([key, schema]) => [key, Type.Optional(schema)]));
    const { description = 'a text' } = input as { description?: string };
    const inputs = Type.Union([input, Type.Array(input)], { description: `${description}, or a list of such` });
    const model = Type.Optional(Type.Union([Type.String(), Type.Null()]));
    const body = Type.Object({ inputs, model, ...required, ...optional }, { additionalProperties: false });
    const config = { family: 'tei', tag: 'Tasks', summary, answer: Type.Unknown(), hasEvents: stream !== undefined } as const;
    app.post<{ Body: TaskBody }>(`/tasks/${name}`, { schema: { body }, config }, (request, reply) =>
      perform({ state, request, reply }, request.body, task),
    );
  }
  searchRoute(app, state);
  featureRoutes(app, state);
  if (state.settings.explain) explainRoutes(app, state);
}

async function perform(exchange: Exchange, body: TaskBody, { ability, run, stream }: Task): Promise<object> {
  const { inputs, model: _, stream: isStreamed = false, ...options } = body;
  const list: readonly unknown[] = Array.isArray(inputs) ? inputs : [inputs];
  if (list.length === 0) throw empty('Expected at least one input but the list is empty.', 'inputs');
  const size = sizeOfTexts(list.map((each) => (typeof each === 'string' ? each : textsOf(each).join(' '))));
  if (isStreamed && stream !== undefined) {
    if (list.length > 1) throw invalid(`Expected one text for inputs beside stream but received ${list.length}.`, 'inputs');
    return streamTokens(exchange, body, size, (model, work) =>
      stream(model, list[0] as never, { ...splitting(exchange.state, ability), ...options, ...work }),
    );
  }
  const found = await computeWith(exchange, body, ability, size, ({ model }, work: WorkOptions) =>
    run(model, inputs as never, { ...splitting(exchange.state, ability), ...options, ...work }),
  );
  tellTruncated(exchange.reply, [found].flat() as { truncated: boolean }[]);
  return found;
}

/** What special tokens in texts are where a request does not say: all but those that are to be filled. */
function splitting({ settings }: ServerState, ability: Ability): { readonly splitSpecialTokens?: true } {
  return settings.splitSpecialTokens && ability !== 'fill-mask' ? { splitSpecialTokens: true } : {};
}

function textsOf(input: unknown): readonly string[] {
  return Object.values(input as Record<string, string | readonly string[]>).flat();
}

const searchBody = Type.Object(
  {
    queries: Type.Union([text, texts], { description: 'a text or a list of texts' }),
    documents: texts,
    topK: Type.Optional(whole(1)),
    threshold: Type.Optional(number),
    model: Type.Optional(Type.Union([Type.String(), Type.Null()])),
  },
  { additionalProperties: false },
);

interface SearchBody extends Pick<TaskBody, 'model'> {
  readonly queries: string | readonly string[];
  readonly documents: readonly string[];
  readonly topK?: number;
  readonly threshold?: number;
}

/** `/tasks/search`: the documents nearest to each query, by the model's vectors. */
function searchRoute(app: FastifyInstance, state: ServerState): void {
  const config = { family: 'tei', tag: 'Tasks', summary: 'Search over texts of the request', answer: Type.Unknown() } as const;
  app.post<{ Body: SearchBody }>('/tasks/search', { schema: { body: searchBody }, config }, (request, reply) => {
    const { queries, documents, topK, threshold } = request.body;
    const asked = [queries].flat();
    if (asked.length === 0 || documents.length === 0) throw empty('Expected at least one query and one document.', 'documents');
    return computeWith(
      { state, request, reply },
      request.body,
      'embed',
      sizeOfTexts([...asked, ...documents]),
      async ({ embedder }, work) => {
        const options = { ...work, ...splitting(state, 'embed') };
        const [found, corpus] = await Promise.all([embedder.encodeQuery(asked, options), embedder.encodeDocument(documents, options)]);
        const results = await semanticSearch(found, corpus, { topK, threshold, signal: options.signal });
        return typeof queries === 'string' ? results[0]! : results;
      },
    );
  });
}
