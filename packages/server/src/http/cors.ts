import type { FastifyInstance } from 'fastify';

/** Lets pages of these origins read answers, and ask whether they may; `*` means all. Without it no answer names an origin. */
export function allowOrigins(app: FastifyInstance, origins: readonly string[]): void {
  const allowed = new Set(origins);
  const isAllowed = (origin: string | undefined): origin is string => origin !== undefined && (allowed.has('*') || allowed.has(origin));
  app.addHook('onRequest', (request, reply, done) => {
    const { origin } = request.headers;
    if (!isAllowed(origin)) return done();
    void reply.headers({ 'access-control-allow-origin': allowed.has('*') ? '*' : origin, vary: 'origin' });
    void reply.header('access-control-expose-headers', 'x-request-id, x-compute-tokens, retry-after');
    done();
  });
  app.options('/*', { config: { isPublic: true, isAlias: true } }, (request, reply) => {
    if (isAllowed(request.headers.origin)) {
      void reply.headers({
        'access-control-allow-methods': 'GET, POST',
        'access-control-allow-headers': 'authorization, content-type, x-request-id, x-priority, x-deadline-ms',
        'access-control-max-age': '600',
      });
    }
    return reply.code(204).send();
  });
}
