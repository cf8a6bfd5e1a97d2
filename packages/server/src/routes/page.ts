import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { FastifyInstance } from 'fastify';

const page = { isPublic: true, answerType: 'text/html' } as const;

/** Files of the page by their addresses, relative to `/ui`. */
const files = {
  '/ui': { name: 'index.html', type: 'text/html; charset=utf-8' },
  '/ui/page.js': { name: 'page.js', type: 'text/javascript; charset=utf-8' },
  '/ui/page.css': { name: 'page.css', type: 'text/css; charset=utf-8' },
  '/ui/icon.svg': { name: 'icon.svg', type: 'image/svg+xml' },
} as const;

const headers = {
  'content-security-policy': "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
  'cache-control': 'no-cache',
};

/**
 * The page at `/ui`, from memory: it asks this server alone. Its files are built into `dist/ui` of this package; a checkout that has not built them
 * has no page.
 */
export function pageRoutes(app: FastifyInstance): void {
  for (const [url, { name, type }] of Object.entries(files)) {
    const content = readPart(name);
    if (content === undefined) return;
    const etag = `"${createHash('sha256').update(content).digest('base64url')}"`;
    app.get(url, { config: { ...page, summary: `The page: ${name}` } }, (request, reply) => {
      void reply.headers({ ...headers, 'content-type': type, etag });
      const known = request.headers['if-none-match']?.split(',').some((each) => each.trim().replace(/^W\//, '') === etag);
      return known === true ? reply.code(304).send() : reply.send(content);
    });
  }
  app.get('/ui/', { config: { ...page, summary: 'The page, at its address' } }, (_request, reply) => reply.redirect('../ui', 308));
}

/** A built file; from `src` as from `dist` it lies two folders up. */
function readPart(name: string): Buffer | undefined {
  try {
    return readFileSync(new URL(`../../dist/ui/${name}`, import.meta.url));
  } catch {
    return undefined;
  }
}
