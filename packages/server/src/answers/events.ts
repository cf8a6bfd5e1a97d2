import { PassThrough } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { failureBody, failureOf, type ApiFamily } from '../failures/failures.js';
import type { Exchange } from './exchange.js';

/** Media type of server-sent events. */
const kEvents = 'text/event-stream';

/** Milliseconds after which a reader that takes nothing counts as gone. */
const kMostIdleMs = 60_000;

/** Sends an event, an object as JSON; resolves when the reader has room for another. */
export type SendEvent = (data: object | string) => Promise<void>;

/**
 * Answers with server-sent events. What is refused before the first is an ordinary refusal; what fails later is told by the last event. A slow reader is
 * waited for: a stream's buffer is all that lies here for it.
 *
 * Errors: what `run` rejects with before it sends.
 */
export async function withEvents(
  { request, reply }: Pick<Exchange, 'request' | 'reply'>,
  family: ApiFamily,
  run: (send: SendEvent) => Promise<void>,
): Promise<FastifyReply> {
  const events = new PassThrough();
  let isSending = false;
  const send: SendEvent = async (data) => {
    if (!isSending) void reply.headers({ 'content-type': kEvents, 'cache-control': 'no-cache', 'x-accel-buffering': 'no' }).send(events);
    isSending = true;
    if (!events.write(`data: ${typeof data === 'string' ? data : JSON.stringify(data)}\n\n`)) await roomIn(events);
  };
  try {
    await run(send);
  } catch (error) {
    if (!isSending) throw error;
    const failure = failureOf(error, request.id);
    if (failure.status >= 500) request.log.error({ err: error, requestId: request.id }, 'failed');
    events.write(`data: ${JSON.stringify(failureBody(failure, family))}\n\n`);
  }
  events.end();
  return reply;
}

/** Resolves when a reader has taken what lies in a stream, or the stream is over. One that is not read for long is destroyed, and its connection with it. */
function roomIn(stream: PassThrough): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) return resolve();
    const giveUp = setTimeout(() => stream.destroy(), kMostIdleMs);
    const end = (): void => {
      clearTimeout(giveUp);
      stream.off('drain', end).off('close', end);
      resolve();
    };
    stream.on('drain', end).on('close', end);
  });
}
