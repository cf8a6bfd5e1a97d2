import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerOptions as HttpOptions } from 'node:http';
import type { ServerOptions as HttpsOptions } from 'node:https';
import Fastify, {
  LogController,
  type FastifyBaseLogger,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
} from 'fastify';
import type { Settings } from '../settings/settings.js';
import type { Work } from '../metrics/metrics.js';
import type { ServerState } from '../state.js';
import { keyChecker, unauthorized } from './api-keys.js';
import { BodyDeadlines } from './body-deadlines.js';
import { allowOrigins } from './cors.js';
import { failureBody, failureOf, RequestError, type ApiFamily, type Failure } from '../failures/failures.js';
import { parseJsonBody } from './json-body.js';
import { limitRate } from './rate-limit.js';
import { traceRequests } from './tracing.js';
import { takePathModel } from './path-models.js';
import type { WorkReport } from '../work/report.js';
import { explainValidation, type ValidationProblem } from '../failures/validation.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Whose clients read the answers; decides the shape of refusals. */
    family?: ApiFamily;
    /** Whether it is answered without a key. */
    isPublic?: boolean;
    /** What it computes, for the metrics of text-embeddings-inference that tell vectors from scores. */
    work?: Work;
    /** For the OpenAPI document. */
    summary?: string;
    description?: string;
    tag?: string;
    /** Schema of the answer, where it is JSON. */
    answer?: object;
    /** Media type of the answer where it is not JSON. */
    answerType?: string;
    /** Whether it answers with server-sent events where the body asks for them. */
    hasEvents?: boolean;
    /** A second path to the same: left out of the document. */
    isAlias?: boolean;
  }
  interface FastifyRequest {
    /** What it computed; undefined for one that computed nothing. */
    workReport: WorkReport | undefined;
  }
}

/** Longest time that a stream of lines may come in. */
const kLongestStreamMs = 3_600_000;

const kRequestId = /^[\w-]{1,64}$/;

/** Fastify with the settings that the routes rely on: strict parsing, limits on time and size, keys, refusals in the client's shape, one line of log. */
export function makeApplication(state: ServerState): FastifyInstance {
  const { settings } = state;
  const app = Fastify(fastifyOptions(state)) as unknown as FastifyInstance;
  app.decorateRequest('workReport', undefined);
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'buffer' }, (_request, body, done) => {
    try {
      done(null, parseJsonBody(body as Buffer));
    } catch (error) {
      done(error as Error);
    }
  });
  const hasKey = settings.apiKeys.length === 0 ? undefined : keyChecker(settings.apiKeys);
  if (settings.corsOrigins.length > 0) allowOrigins(app, settings.corsOrigins);
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id);
    if (state.isClosing) void reply.header('connection', 'close');
    const isPublic = request.routeOptions.config.isPublic === true || hasKey === undefined;
    done(isPublic || hasKey(request.headers.authorization) ? undefined : unauthorized());
  });
  if (settings.maxRequestsAMinute !== undefined) limitRate(app, settings.maxRequestsAMinute, hasKey !== undefined);
  const bodies = new BodyDeadlines(settings.requestTimeoutMs, (reply) => void sendFailure(reply, lateBody(settings.requestTimeoutMs)));
  app.addHook('onClose', () => bodies.stop());
  app.addHook('preParsing', (request, reply, payload, done) => {
    const refusal = refuseBody(request, settings.maxBodyBytes);
    if (refusal === undefined) {
      if (request.headers.expect !== undefined) reply.raw.writeContinue();
      if (!isStream(request)) bodies.add(reply);
    }
    done(refusal, payload);
  });
  app.addHook('onResponse', (request, reply, done) => {
    bodies.delete(reply);
    note(state, request, reply);
    done();
  });
  traceRequests(app);
  app.setErrorHandler((error, request, reply) => refuse(state, error, request, reply));
  app.server.on('checkContinue', (request, response) => app.server.emit('request', request, response));
  return app;
}

function fastifyOptions(state: ServerState): FastifyServerOptions {
  const { settings, models, pathModels } = state;
  const prefix = randomBytes(6).toString('hex');
  let count = 0;
  return {
    bodyLimit: settings.maxBodyBytes,
    logger: settings.logger,
    // The lines of requests carry their ids: a logger for each request would print and redact them anew.
    childLoggerFactory: (logger: FastifyBaseLogger) => logger,
    logController: new LogController({ disableRequestLogging: true }),
    // Of streams, which may take long; the bodies of all others have a limit of their own.
    requestTimeout: kLongestStreamMs,
    keepAliveTimeout: settings.keepAliveMs,
    ...listenerOptions(settings),
    genReqId: ({ headers }: IncomingMessage) => {
      const given = headers['x-request-id'];
      return typeof given === 'string' && kRequestId.test(given) ? given : `${prefix}-${(count++).toString(36)}`;
    },
    rewriteUrl: (request: IncomingMessage) => takePathModel(request, models, pathModels),
    ajv: { customOptions: { coerceTypes: false, removeAdditional: false, useDefaults: false, allowUnionTypes: true, verbose: true } },
    frameworkErrors: (error: Error, request: FastifyRequest, reply: FastifyReply) => void refuse(state, error, request, reply),
  } as FastifyServerOptions;
}

/** Of the server that listens, which Fastify takes from other fields for HTTPS. */
function listenerOptions({ headersTimeoutMs, tls }: Settings): { readonly http: HttpOptions } | { readonly https: HttpsOptions } {
  const limits = { headersTimeout: headersTimeoutMs, connectionsCheckingInterval: 1000, maxHeaderSize: 16_384 };
  return tls === undefined ? { http: limits } : { https: { ...tls, ...limits, handshakeTimeout: headersTimeoutMs } };
}

/** Refuses by the headers alone, before any of the body is read. */
function refuseBody(request: FastifyRequest, maxBytes: number): RequestError | undefined {
  const { 'content-length': length, 'content-encoding': encoding, 'content-type': type } = request.headers;
  const refusal = (status: number, code: string, message: string): RequestError =>
    new RequestError({ status, code, type: 'Validation', message, headers: { connection: 'close' } });
  if (encoding !== undefined && encoding !== 'identity')
    return refusal(415, 'unsupported_media_type', 'Expected a body that is not compressed.');
  const charset = type === undefined || type === 'application/json' ? undefined : /;\s*charset\s*=\s*"?([^";\s]*)/i.exec(type)?.[1];
  if (charset !== undefined && !/^utf-?8$/i.test(charset)) return refusal(415, 'unsupported_media_type', 'Expected a body in UTF-8.');
  if (length !== undefined && Number(length) > maxBytes && !isStream(request)) {
    return refusal(413, 'INPUT_TOO_LARGE', `Expected a body of at most ${maxBytes} bytes but received ${length}.`);
  }
  return undefined;
}

function isStream({ routeOptions }: FastifyRequest): boolean {
  return routeOptions.config.answerType === 'application/x-ndjson';
}

function lateBody(limitMs: number): Failure {
  const message = `Expected the whole body within ${limitMs} ms.`;
  return { status: 408, code: 'request_timeout', type: 'Validation', message, headers: { connection: 'close' } };
}

/** Whose shape a refusal takes: the route's; where there is none, by the path. */
function familyOf(request: FastifyRequest): ApiFamily {
  return request.routeOptions?.config?.family ?? (/^\/v[12]\//.test(request.url) ? 'openai' : 'tei');
}

/** Answers with a failure. */
export function sendFailure(reply: FastifyReply, failure: Failure): FastifyReply {
  void reply.code(failure.status).headers(failure.headers ?? {});
  return reply
    .header('content-type', 'application/json; charset=utf-8')
    .send(JSON.stringify(failureBody(failure, familyOf(reply.request))));
}

function refuse(state: ServerState, error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  if (reply.raw.destroyed) {
    state.metrics.note(request.workReport, 499, reply.elapsedTime, request.routeOptions.config.work);
    return reply.hijack();
  }
  const problems = (error as { validation?: readonly ValidationProblem[] }).validation;
  const failure = failureOf(problems === undefined ? error : explainValidation(problems), request.id);
  if (failure.status >= 500) request.log.error({ err: error, requestId: request.id }, 'failed');
  return sendFailure(reply, failure);
}

/** Counts a request and writes its line: never a text, never a header. */
function note({ metrics }: ServerState, request: FastifyRequest, reply: FastifyReply): void {
  if (request.routeOptions.config.isPublic === true && reply.statusCode < 400) return;
  const { workReport: report, method, routeOptions, id: requestId } = request;
  const { statusCode: status, elapsedTime } = reply;
  metrics.note(report, status, elapsedTime, routeOptions.config.work);
  const { model, inputs, tokens } = report ?? {};
  const ms = Math.round(elapsedTime * 100) / 100;
  request.log.info({ requestId, method, route: routeOptions.url ?? 'none', status, ms, model, inputs, tokens }, 'request');
}
