import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RequestError } from '../failures/failures.js';

/** Answers paths that no route has: 404, or 405 with `allow` where routes of other methods have them. Called before any route is made. */
export function answerNotFound(app: FastifyInstance): void {
  const methods = new Map<string, Set<string>>();
  app.addHook('onRoute', ({ url, method }) => {
    const known = methods.get(url) ?? new Set();
    for (const each of [method].flat()) known.add(each);
    methods.set(url, known);
  });
  const refusalOf = (request: FastifyRequest): RequestError => {
    const path = request.url.split('?', 1)[0]!;
    const allowed = [...methods].find(([pattern]) =>
      pattern.endsWith('*') ? path.startsWith(pattern.slice(0, -1)) : pattern === path,
    )?.[1];
    if (allowed !== undefined && !allowed.has(request.method)) {
      const allow = [...allowed].join(', ');
      const message = `Expected ${allow} for this path but received ${request.method}.`;
      return new RequestError({ status: 405, code: 'method_not_allowed', type: 'Validation', message, headers: { allow } });
    }
    return new RequestError({ status: 404, code: 'not_found', type: 'NotFound', message: 'No route has this path: see /openapi.json.' });
  };
  // Before Fastify looks at the body, of which it wants to know more for some methods than for others.
  app.addHook('onRequest', (request, _reply, done) => (request.is404 ? done(refusalOf(request)) : done()));
  app.setNotFoundHandler((request) => {
    throw refusalOf(request);
  });
}
