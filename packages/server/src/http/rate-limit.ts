import type { FastifyInstance, FastifyRequest } from 'fastify';
import { RequestError } from '../failures/failures.js';

const kMinuteMs = 60_000;
/** Callers that are remembered; beyond, those that were heard of first are forgotten. */
const kMostCallers = 10_000;

/** What a caller has left: requests, and when that was so. */
interface Allowance {
  left: number;
  at: number;
}

/** Requests of callers by the minute: a bucket that fills evenly and holds a minute's worth. */
export class RateLimit {
  readonly #perMinute: number;
  readonly #callers = new Map<string, Allowance>();

  constructor(perMinute: number) {
    this.#perMinute = perMinute;
  }

  /** Takes a request of a caller at a time in milliseconds: 0, or the milliseconds after which the next one would be taken. */
  take(caller: string, now: number): number {
    const allowance = this.#callers.get(caller) ?? this.#admit(caller, now);
    allowance.left = Math.min(this.#perMinute, allowance.left + ((now - allowance.at) * this.#perMinute) / kMinuteMs);
    allowance.at = now;
    if (allowance.left < 1) return ((1 - allowance.left) * kMinuteMs) / this.#perMinute;
    allowance.left--;
    return 0;
  }

  #admit(caller: string, now: number): Allowance {
    const first = this.#callers.size >= kMostCallers ? this.#callers.keys().next().value : undefined;
    if (first !== undefined) this.#callers.delete(first);
    const allowance = { left: this.#perMinute, at: now };
    this.#callers.set(caller, allowance);
    return allowance;
  }
}

/** Refuses what is more than so many requests a minute; the state of the server may be asked for as often as one likes. Comes after keys are checked. */
export function limitRate(app: FastifyInstance, perMinute: number, hasKeys: boolean): void {
  const limit = new RateLimit(perMinute);
  app.addHook('onRequest', (request, _reply, done) => {
    if (request.routeOptions.config.isPublic === true) return done();
    const waitMs = limit.take(callerOf(request, hasKeys), performance.now());
    done(waitMs === 0 ? undefined : tooMany(perMinute, waitMs));
  });
}

/** The key, which was found valid, however `Bearer` is written before it; else the address. */
function callerOf({ headers, ip }: FastifyRequest, hasKeys: boolean): string {
  return hasKeys ? (headers.authorization ?? '').replace(/^bearer +(?:bearer +)?/i, '') : (ip ?? '');
}

function tooMany(perMinute: number, waitMs: number): RequestError {
  const seconds = Math.ceil(waitMs / 1000);
  return new RequestError({
    status: 429,
    code: 'rate_limited',
    type: 'Overloaded',
    message: `Expected at most ${perMinute} requests a minute. Try again in ${seconds} s.`,
    headers: { 'retry-after': String(seconds) },
  });
}
