import { Server } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { Admission } from './work/admission.js';
import { makeApplication } from './http/application.js';
import { answerNotFound } from './http/not-found.js';
import { EventLoopLag } from './metrics/event-loop-lag.js';
import { Metrics } from './metrics/metrics.js';
import { ModelRegistry, type FailedModel } from './models/registry.js';
import { bundledSpecs } from './models/served-model.js';
import { collectRoutes } from './openapi/document.js';
import { settingsOf, type ServerOptions, type Settings } from './settings/settings.js';
import { bulkRoutes } from './routes/bulk.js';
import { documentRoutes } from './routes/documents.js';
import { cohereRoutes } from './routes/cohere.js';
import { completionRoutes } from './routes/writing/completions.js';
import { hostedRoutes } from './routes/hosted.js';
import { openAiRoutes } from './routes/openai.js';
import { pageRoutes } from './routes/page.js';
import { pipelineRoutes } from './routes/pipelines.js';
import { rerankRoutes } from './routes/rerank.js';
import { stateRoutes } from './routes/state.js';
import { taskRoutes } from './routes/tasks.js';
import { teiRoutes } from './routes/tei.js';
import { tokenRoutes } from './routes/tokens.js';
import { writingRoutes } from './routes/writing/pipelines.js';
import type { ServerState } from './state.js';
import { InFlight } from './work/in-flight.js';

/** A server that was made by `createServer`. */
export interface BerthaServer {
  /** For `inject`, hooks and routes of your own, before it listens. */
  readonly app: FastifyInstance;
  /** Listens, and returns the address; models may still be loading, see `ready`. */
  listen(): Promise<string>;
  /** Resolves when all models are loaded, with those that could not be. */
  readonly ready: Promise<readonly FailedModel[]>;
  /** Names of the models that are loaded. */
  readonly models: readonly string[];
  /** Loads a model anew in its place: no request is lost, and the old one stays where loading fails. */
  reload(name: string): Promise<void>;
  /** Answers what has been asked, takes nothing new, and gives the models up. */
  close(): Promise<void>;
}

/**
 * Makes a server that speaks the APIs of text-embeddings-inference, OpenAI, Cohere, Jina, Voyage and Hugging Face. Loading begins at once; until it is
 * done requests are answered with 503.
 *
 * Errors: BerthaError USAGE for two models of one name.
 *
 * @example
 * const server = createServer({ models: [{ name: 'minilm', model: './models/minilm' }], port: 8080 });
 * console.log(await server.listen());
 */
export function createServer(options: ServerOptions = {}): BerthaServer {
  const settings = settingsOf(options);
  const loading = new AbortController();
  const admission = new Admission(settings);
  const models = new ModelRegistry(settings.models ?? bundledSpecs, (name, outcome) => {
    if ('model' in outcome) app.log.info({ model: name, abilities: [...outcome.abilities] }, 'loaded');
    else app.log.error({ model: name, err: outcome }, 'not loaded');
  });
  const state: ServerState = {
    settings,
    models,
    admission,
    metrics: new Metrics(admission, () => !state.isClosing && models.problem === undefined),
    inFlight: new InFlight(),
    lag: new EventLoopLag(),
    pathModels: new WeakMap(),
    isClosing: false,
  };
  const app = makeApplication(state);
  app.addHook('onClose', () => state.lag.stop());
  answerNotFound(app);
  pageRoutes(app);
  const documented = collectRoutes(app);
  stateRoutes(app, state);
  for (const routes of [
    openAiRoutes,
    completionRoutes,
    teiRoutes,
    tokenRoutes,
    rerankRoutes,
    cohereRoutes,
    pipelineRoutes,
    hostedRoutes,
    taskRoutes,
    writingRoutes,
    bulkRoutes,
  ]) {
    routes(app, state);
  }
  documentRoutes(app, state, documented);
  const loaded = models.load(loading.signal);
  const close = async (): Promise<void> => {
    if (!state.isClosing) loading.abort();
    const wasListening = app.server.listening && !state.isClosing;
    state.isClosing = true;
    // Connections that are kept alive hear with their next answer that it was the last.
    if (wasListening) await new Promise((resolve) => setTimeout(resolve, settings.graceMs));
    const drain = setTimeout(() => state.inFlight.stopAll(), settings.drainMs);
    // Those whose last answer had begun before it could say so, and those that ask nothing: what has come is read first.
    const idle = setInterval(() => setImmediate(() => app.server.closeIdleConnections()), kIdleMs);
    try {
      if (wasListening) await stopListening(app.server);
      await app.close();
    } finally {
      clearTimeout(drain);
      clearInterval(idle);
      await loaded;
      models.dispose();
    }
  };
  let closing: Promise<void> | undefined;
  return {
    app,
    ready: loaded.then(() => models.failed),
    get models() {
      return models.loaded.map(({ name }) => name);
    },
    reload: (name) => models.reload(name),
    listen: () => listen(app, settings),
    close: () => (closing ??= close()),
  };
}

/** Milliseconds between looks at connections without a request, while the server closes: so long a request may take to follow its connection. */
const kIdleMs = 100;

/** How long a server that closes goes on accepting where connections keep coming. */
const kAcceptMs = 1000;

/**
 * Accepts no more connections, and resolves when all have ended. http.Server's own close would first cut those without a request, also one
 * that was accepted a moment ago and whose request has not been read.
 */
async function stopListening(server: Server): Promise<void> {
  // The event loop accepts one connection a turn: who waits when the listener closes would be cut.
  let isWaiting = true;
  const accept = (): void => void (isWaiting = true);
  server.on('connection', accept);
  for (const end = performance.now() + kAcceptMs; isWaiting && performance.now() < end;) {
    isWaiting = false;
    await new Promise(setImmediate);
  }
  server.off('connection', accept);
  await new Promise((resolve) => Server.prototype.close.call(server, resolve));
}

async function listen(app: FastifyInstance, { host, port, udsPath, fd }: Settings): Promise<string> {
  const backlog = 4096;
  if (fd !== undefined) {
    await app.ready();
    return listenOn(app, fd);
  }
  return app.listen(udsPath === undefined ? { host, port, backlog } : { path: udsPath, backlog });
}

/** Fastify knows no descriptors: its server does. */
function listenOn(app: FastifyInstance, fd: number): Promise<string> {
  return new Promise((resolve, reject) => {
    app.server.once('error', reject);
    app.server.listen({ fd }, () => {
      app.server.removeListener('error', reject);
      resolve(`file descriptor ${fd}`);
    });
  });
}
