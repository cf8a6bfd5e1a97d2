import type { FastifyInstance } from 'fastify';
import { openApiDocument, type DocumentedRoute } from '../openapi/document.js';
import { referencePage } from '../openapi/reference-page.js';
import type { ServerState } from '../state.js';

/** `/openapi.json`, text-embeddings-inference's `/api-doc/openapi.json`, and the routes as a page at `/docs`. */
export function documentRoutes(app: FastifyInstance, { settings }: ServerState, routes: readonly DocumentedRoute[]): void {
  let document: string | undefined;
  const open = { isPublic: true, tag: 'State' } as const;
  for (const url of ['/openapi.json', '/api-doc/openapi.json']) {
    const config = { ...open, summary: 'This document', answer: { type: 'object' }, isAlias: url !== '/openapi.json' };
    app.get(url, { config }, (_request, reply) => {
      document ??= JSON.stringify(openApiDocument(routes, settings.apiKeys.length > 0));
      return reply.header('content-type', 'application/json; charset=utf-8').send(document);
    });
  }
  app.get('/docs', { config: { ...open, summary: 'The routes as a page', answerType: 'text/html' } }, (_request, reply) =>
    reply
      .headers({
        'content-type': 'text/html; charset=utf-8',
        'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
        'x-content-type-options': 'nosniff',
      })
      .send(referencePage(routes)),
  );
}
