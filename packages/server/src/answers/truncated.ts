import type { FastifyReply } from 'fastify';

/** Tells in `x-truncated` how many inputs were cut, where any was. */
export function tellTruncated(reply: FastifyReply, results: readonly { readonly truncated: boolean }[]): void {
  let cut = 0;
  for (const { truncated } of results) if (truncated) cut++;
  if (cut > 0) void reply.header('x-truncated', cut);
}
