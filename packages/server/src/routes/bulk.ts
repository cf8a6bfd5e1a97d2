import { Readable } from 'node:stream';
import type { FastifyInstance } from 'fastify';
import { embedLines } from '../answers/json-lines.js';
import { promptOf, reading } from '../answers/reading.js';
import { ClientGone, empty, invalid, unavailable } from '../failures/failures.js';
import { modelFor } from '../requests/compute.js';
import type { ServerState } from '../state.js';

const kLines = 'application/x-ndjson';

/** Milliseconds without a line after which a stream counts as given up. */
const kMostIdleMs = 60_000;

/** `/bulk/embed`: a stream of lines in, a stream of vectors out, in the bulk lane. As many as the client sends: reading waits for computing, and that for the client. */
export function bulkRoutes(app: FastifyInstance, state: ServerState): void {
  void app.register(async (scope) => {
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser([kLines, 'application/jsonl'], (_request, payload, done) => done(null, payload));
    const config = {
      family: 'tei',
      tag: 'Bulk',
      summary: 'Vectors of a stream of texts, a line of JSON each',
      answerType: kLines,
    } as const;
    scope.post<{ Querystring: { model?: string; dimensions?: string } }>('/bulk/embed', { config }, (request, reply) => {
      if (request.body === undefined || request.body === null) throw empty(`Expected lines of JSON as ${kLines} but received no body.`);
      const { model, dimensions } = request.query;
      const served = modelFor(state, request, { model }, 'embed');
      const width = dimensions === undefined ? undefined : Number(dimensions);
      if (width !== undefined && !(Number.isInteger(width) && width >= 1 && width <= served.embedder.dimensions)) {
        throw invalid(`Expected 1 to ${served.embedder.dimensions} for dimensions.`, 'dimensions', 'INVALID_OPTION');
      }
      const controller = new AbortController();
      reply.raw.once('close', () => controller.abort(new ClientGone()));
      const removeStop = state.inFlight.add(() => controller.abort(unavailable('The server is closing.', 'closing')));
      request.raw.setTimeout(kMostIdleMs, () => request.raw.destroy());
      const { signal } = controller;
      const lines = embedLines(request.body as Readable, (texts) =>
        served.embedder.embedMany(texts, { signal, dimensions: width, ...reading(state, {}), ...promptOf(state, undefined) }),
      );
      const body = Readable.from(whileUsed(served, lines), { objectMode: false });
      body.once('close', removeStop);
      return reply.header('content-type', kLines).send(body);
    });
  });
}

/** The items of a stream, during which the model stays loaded. */
async function* whileUsed<T>(served: { use<R>(work: () => Promise<R>): Promise<R> }, items: AsyncIterable<T>): AsyncGenerator<T> {
  let end: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => (end = resolve));
  const used = served.use(() => ended);
  try {
    yield* items;
  } finally {
    end();
    await used;
  }
}
