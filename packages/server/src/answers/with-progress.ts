import { PassThrough } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { failureBody, failureOf } from '../failures/failures.js';

const kLines = 'application/x-ndjson';

/** How far something has come. */
export interface Progress {
  readonly done: number;
  readonly total: number;
}

/**
 * Answers as JSON, or, to a client that accepts lines of JSON, with a line for each step that is done, and `{"answer"}` or `{"error"}` as the last. What is
 * refused before the first step is an ordinary refusal.
 *
 * Errors: what `run` rejects with before it tells of a step, or where no lines are asked for.
 */
export async function withProgress(
  request: FastifyRequest,
  reply: FastifyReply,
  run: (onProgress?: (progress: Progress) => void) => Promise<object>,
): Promise<object> {
  if (request.headers.accept?.includes(kLines) !== true) return run();
  const lines = new PassThrough();
  let isSending = false;
  const write = (line: object): void => {
    if (!isSending) void reply.header('content-type', kLines).send(lines);
    isSending = true;
    lines.write(`${JSON.stringify(line)}\n`);
  };
  try {
    write({ answer: await run(write) });
  } catch (error) {
    if (!isSending) throw error;
    const failure = failureOf(error, request.id);
    write({ status: failure.status, ...failureBody(failure, 'tei') });
  }
  lines.end();
  return reply;
}
