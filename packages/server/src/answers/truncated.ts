import type { FastifyReply } from 'fastify';
import type { ServerState } from '../state.js';

/** What becomes of texts beyond the model's limit: what the request says, else what the server was told. */
export function truncation({ settings }: ServerState, asked: boolean | null | undefined): { readonly onTruncate: 'truncate' | 'error' } {
  return { onTruncate: (asked ?? settings.autoTruncate) ? 'truncate' : 'error' };
}

/** Tells in `x-truncated` how many inputs were cut, where any was. */
export function tellTruncated(reply: FastifyReply, results: readonly { readonly truncated: boolean }[]): void {
  let cut = 0;
  for (const { truncated } of results) if (truncated) cut++;
  if (cut > 0) void reply.header('x-truncated', cut);
}
