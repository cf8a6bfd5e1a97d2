import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import type { ServedModel } from '../models/served-model.js';
import { modelEntry } from '../schemas/answers.js';
import type { ServerState } from '../state.js';
import { version } from '../version.js';

/** Longest time the event loop may stand still before the process counts as stuck. */
const kMostLagMs = 10_000;

const open = { isPublic: true, tag: 'State' } as const;

/** What a balancer, a client and a person ask about the server: is it there, is it ready, what does it serve. */
export function stateRoutes(app: FastifyInstance, state: ServerState): void {
  readiness(app, state);
  app.get('/livez', { config: { ...open, summary: 'Whether the event loop turns', answer: Type.Object({}) } }, (_request, reply) => {
    const lagMs = state.lag.ms;
    void reply.code(lagMs > kMostLagMs ? 503 : 200);
    return reply.send({ status: lagMs > kMostLagMs ? 'stuck' : 'ok', event_loop_lag_ms: lagMs });
  });
  app.get('/metrics', { config: { ...open, summary: 'Prometheus metrics', answerType: 'text/plain' } }, async (_request, reply) =>
    reply.header('content-type', state.metrics.contentType).send(await state.metrics.text()),
  );
  app.get(
    '/info',
    { config: { family: 'tei', tag: 'State', summary: 'The first model and the limits', answer: Type.Object({}) } },
    (request) => {
      const name = state.pathModels.get(request.raw);
      return infoOf(state, name === undefined ? state.models.loaded[0] : state.models.find(name));
    },
  );
  const list = { family: 'openai', tag: 'OpenAI' } as const;
  const entries = Type.Object({ object: Type.Literal('list'), data: Type.Array(modelEntry) });
  for (const url of ['/v1/models', '/models']) {
    app.get(url, { config: { ...list, summary: 'The loaded models', answer: entries, isAlias: url === '/models' } }, () => ({
      object: 'list',
      data: state.models.loaded.map((model) => entryOf(model)),
    }));
  }
  app.get<{ Params: { '*': string } }>(
    '/v1/models/*',
    { config: { ...list, summary: 'A model by its name', answer: modelEntry } },
    (request) => entryOf(state.models.find(request.params['*'])),
  );
}

function readiness(app: FastifyInstance, state: ServerState): void {
  const answer = (_request: FastifyRequest, reply: FastifyReply): FastifyReply => {
    const problem = state.isClosing ? 'the server is closing' : state.models.problem;
    const failed = state.models.failed.map(({ name, error }) => ({ name, code: (error as { code?: unknown }).code ?? 'INTERNAL' }));
    const models = state.models.loaded.map(({ name }) => name);
    if (problem === undefined) return reply.send({ status: 'ready', models, failed });
    const body = {
      error: `Not ready: ${problem}.`,
      error_type: 'Unhealthy',
      code: 'not_ready',
      message: `Not ready: ${problem}.`,
      models,
      failed,
    };
    return reply.code(503).header('retry-after', '1').send(body);
  };
  const summaries: Readonly<Record<string, string>> = {
    '/readyz': 'Whether it answers',
    '/health': 'The same',
    '/ping': 'The same, for SageMaker',
  };
  for (const [url, summary] of Object.entries(summaries)) app.get(url, { config: { ...open, summary, answer: Type.Object({}) } }, answer);
  app.get('/', { config: { ...open, summary: 'The same', answer: Type.Object({}) } }, answer);
}

function entryOf({ name, model, abilities }: ServedModel): object {
  const { embeddingDimension } = abilities.has('embed') ? model.values : { embeddingDimension: undefined };
  const facts = {
    abilities: [...abilities],
    dimensions: embeddingDimension,
    max_tokens: model.maxTokens,
    labels: labelsOf({ model, abilities }),
  };
  return { id: name, object: 'model', created: 0, owned_by: 'bertha', ...facts };
}

/** The labels of a model with a head of labels. */
function labelsOf({ model, abilities }: Pick<ServedModel, 'model' | 'abilities'>): readonly string[] | undefined {
  const hasLabels = abilities.has('classify') || abilities.has('ner');
  return hasLabels ? Object.values(model.config.id2label) : undefined;
}

/** What text-embeddings-inference tells, for the model and for the server. */
function infoOf({ settings, models }: ServerState, served: ServedModel | undefined): object {
  const limits = {
    max_concurrent_requests: settings.maxRequests,
    max_batch_tokens: settings.maxQueuedTokens,
    max_batch_requests: null,
    max_client_batch_size: settings.maxInputs,
    auto_truncate: settings.autoTruncate,
    tokenization_workers: 1,
    version,
    sha: null,
    docker_label: null,
    models: models.loaded.map((model) => entryOf(model)),
  };
  if (served === undefined) return { model_id: null, ...limits };
  const { model, name } = served;
  return {
    model_id: name,
    model_sha: null,
    model_dtype: model.precision.chosen,
    served_model_name: name,
    model_type: typeOf(served),
    max_input_length: model.maxTokens,
    ...limits,
  };
}

function typeOf({ model, abilities }: ServedModel): object {
  const { id2label } = model.config;
  const label2id = Object.fromEntries(Object.entries(id2label).map(([id, label]) => [label, Number(id)]));
  if (abilities.has('embed')) return { embedding: { pooling: model.sentence?.pooling.modes.join('+') ?? 'mean' } };
  if (abilities.has('rerank')) return { reranker: { id2label, label2id } };
  return { classifier: { id2label, label2id } };
}
