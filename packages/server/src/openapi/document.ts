import type { FastifyInstance, FastifyContextConfig } from 'fastify';
import type { ApiFamily } from '../failures/failures.js';
import { version } from '../version.js';

/** A route as the document has it. */
export interface DocumentedRoute {
  readonly method: string;
  readonly url: string;
  readonly config: FastifyContextConfig;
  readonly body?: object | undefined;
}

/** Collects the routes that are made after it is called. Second paths to the same, and HEAD, stay out. */
export function collectRoutes(app: FastifyInstance): readonly DocumentedRoute[] {
  const routes: DocumentedRoute[] = [];
  app.addHook('onRoute', ({ method, url, config = {}, schema }) => {
    if (config.summary === undefined || config.isAlias === true) return;
    for (const each of [method].flat())
      if (each !== 'HEAD') routes.push({ method: each, url, config, body: schema?.body as object | undefined });
  });
  return routes;
}

const error = { type: 'string', description: 'What was expected and what was received' };
const failures: Readonly<Record<ApiFamily, object>> = {
  tei: {
    type: 'object',
    required: ['error', 'error_type', 'code', 'message'],
    properties: { error, error_type: { type: 'string' }, code: { type: 'string' }, message: error },
  },
  openai: {
    type: 'object',
    required: ['error', 'message', 'detail', 'code', 'type'],
    properties: {
      error: {
        type: 'object',
        required: ['message', 'type', 'param', 'code'],
        properties: { message: error, type: { type: 'string' }, param: { type: ['string', 'null'] }, code: { type: 'string' } },
      },
      message: error,
      detail: error,
      code: { type: 'integer' },
      type: { type: 'string' },
    },
  },
};

/** Statuses of refusals, in words. `default` stands for those that HTTP itself brings. */
const refusals: Readonly<Record<string, string>> = {
  400: 'Nothing to read, or no JSON',
  404: 'No model has this name',
  413: 'The body is too large',
  415: 'The body is not JSON in UTF-8',
  422: 'The body is not what the route takes',
  424: 'The model has no head for it',
  429: 'Too much is waiting: again after retry-after',
  500: 'A defect; the log has the reason',
  503: 'Not ready, or closing',
  504: 'The deadline passed',
  default: 'Another refusal',
};

/** The document of OpenAPI 3.1 for routes: the schemas that bodies are checked by. */
export function openApiDocument(routes: readonly DocumentedRoute[], hasKeys: boolean): object {
  const paths: Record<string, Record<string, object>> = {};
  for (const route of routes) {
    const path = route.url.replace(/:(\w+)/g, '{$1}').replace('*', '{name}');
    (paths[path] ??= {})[route.method.toLowerCase()] = operationOf(route, path, hasKeys);
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'bertha-server',
      version,
      description: 'BERT encoders over HTTP. Every POST route is also there for a model of its own, below /models/NAME.',
      license: { name: 'Apache-2.0', identifier: 'Apache-2.0' },
    },
    paths,
    components: {
      schemas: { FailureTei: failures.tei, FailureOpenai: failures.openai },
      ...(hasKeys ? { securitySchemes: { key: { type: 'http', scheme: 'bearer' } } } : {}),
    },
  };
}

function operationOf({ method, config, body }: DocumentedRoute, path: string, hasKeys: boolean): object {
  const { family = 'tei', summary, description, tag, answer, answerType, hasEvents, isPublic } = config;
  const schema = { $ref: `#/components/schemas/${family === 'tei' ? 'FailureTei' : 'FailureOpenai'}` };
  const refused = (text: string) => ({ description: text, content: { 'application/json': { schema } } });
  const text = { schema: { type: 'string' } };
  const content = {
    ...(answerType === undefined ? { 'application/json': { schema: answer ?? {} } } : { [answerType]: text }),
    ...(hasEvents === true ? { 'text/event-stream': text } : {}),
  };
  const statuses = Object.entries(refusals).filter(([status]) => method === 'POST' || status === 'default' || status === '503');
  const responses = Object.fromEntries(statuses.map(([status, text]) => [status, refused(text)]));
  if (hasKeys && isPublic !== true) responses['401'] = refused('No valid key');
  const parameters = Array.from(path.matchAll(/\{(\w+)\}/g), ([, name]) => ({
    name,
    in: 'path',
    required: true,
    schema: { type: 'string' },
  }));
  const bodyType = answerType === 'application/x-ndjson' ? answerType : 'application/json';
  return {
    operationId: `${method.toLowerCase()}${path.replace(/\W+(\w?)/g, (_, letter: string) => letter.toUpperCase())}`,
    summary,
    ...(description === undefined ? {} : { description }),
    ...(tag === undefined ? {} : { tags: [tag] }),
    ...(parameters.length === 0 ? {} : { parameters }),
    ...(method === 'POST' ? { requestBody: { required: true, content: { [bodyType]: { schema: body ?? { type: 'string' } } } } } : {}),
    ...(hasKeys && isPublic !== true ? { security: [{ key: [] }] } : {}),
    responses: { 200: { description: 'The answer', content }, ...responses },
  };
}
