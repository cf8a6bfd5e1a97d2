import http from 'node:http';
import https from 'node:https';
import { setTimeout as sleep } from 'node:timers/promises';
import { types } from 'node:util';
import { quote } from '../checkpoint/describe.js';
import type { BerthaError } from '../errors.js';
import { unexpected } from '../expected.js';

const kMostRedirects = 8;
const kAttempts = 5;
const kFirstPauseMs = 200;
/** A server that asks for more patience than this is not waited for. */
const kLongestPauseMs = 60_000;

/** A failure that may pass: `error` is what the caller sees when it does not. */
export class Transient extends Error {
  readonly error: BerthaError;
  readonly retryAfterMs: number | undefined;

  constructor(error: BerthaError, retryAfterMs?: number) {
    super(error.message);
    this.error = error;
    this.retryAfterMs = retryAfterMs;
  }
}

/** Pauses between attempts, each twice as long as the one before. */
export class Backoff {
  #failures = 0;
  readonly #attempts: number;
  readonly #signal: AbortSignal | undefined;

  constructor(signal: AbortSignal | undefined, attempts = kAttempts) {
    this.#signal = signal;
    this.#attempts = attempts;
  }

  /** Starts counting anew, after progress. */
  reset(): void {
    this.#failures = 0;
  }

  /** Waits before the next attempt, or throws the error: for good where it is not transient or there have been enough attempts. */
  async pause(error: unknown): Promise<void> {
    if (!(error instanceof Transient)) throw error;
    const pauseMs = error.retryAfterMs ?? kFirstPauseMs * 2 ** this.#failures;
    if (++this.#failures >= this.#attempts || pauseMs > kLongestPauseMs) throw error.error;
    await sleep(pauseMs, undefined, this.#signal === undefined ? {} : { signal: this.#signal }).catch(() => this.#signal?.throwIfAborted());
  }
}

/** How a request is sent. */
export interface RequestOptions {
  readonly headers: Readonly<Record<string, string>>;
  /** Sent to the first address' origin only. */
  readonly token: string | undefined;
  /** Milliseconds without an answer, or without another byte of it, after which the request has failed. */
  readonly timeoutMs: number;
  readonly signal: AbortSignal | undefined;
}

/** An answer of whatever status, its body still to be read. */
export interface Answer {
  readonly status: number;
  /** By its name in lower case. */
  header(name: string): string | undefined;
  /** Where it came from, without the query, which may hold a signature. */
  readonly source: string;
  /** The body as it comes; to be read to its end or left by `return`. Throws `Transient`. */
  chunks(): AsyncGenerator<Uint8Array>;
  /** Gives the body up, and the connection where more of it is to come. */
  discard(): void;
}

/**
 * GETs an address, following redirects by hand: the token goes to the first origin only and never comes back, and https never becomes
 * http.
 *
 * Errors: `Transient` with HUB_UNREACHABLE, HUB_HTTP (redirects), the signal's reason.
 */
export async function get(address: string, options: RequestOptions): Promise<Answer> {
  let url = new URL(address);
  const { origin } = url;
  let mayHaveToken = true;
  for (let redirects = 0; ; redirects++) {
    mayHaveToken &&= url.origin === origin;
    const answer = await fetchOnce(url, options, mayHaveToken ? options.token : undefined);
    const location = answer.header('location');
    if (answer.status < 300 || answer.status > 399 || location === undefined) return answer;
    answer.discard();
    const next = URL.canParse(location, url.href) ? new URL(location, url) : undefined;
    const isDowngrade = url.protocol === 'https:' && next?.protocol !== 'https:';
    if (next === undefined || !/^https?:$/.test(next.protocol) || isDowngrade || redirects >= kMostRedirects) {
      const problem = redirects >= kMostRedirects ? `more than ${kMostRedirects} redirects` : `a redirect to ${quote(location)}`;
      throw unexpected('HUB_HTTP', `a file or a safe redirect from ${withoutQuery(url)}`, problem);
    }
    url = next;
  }
}

// Not fetch: in Node 20 a garbage collection can make it forget its AbortSignal, and a silent server then holds it for 300 s.
async function fetchOnce(url: URL, options: RequestOptions, token: string | undefined): Promise<Answer> {
  const source = withoutQuery(url);
  // Parts of compressed bodies could not be asked for.
  const headers: Record<string, string> = { 'user-agent': 'bertha-encoder', 'accept-encoding': 'identity', ...options.headers };
  if (token !== undefined) headers['authorization'] = `Bearer ${token}`;
  options.signal?.throwIfAborted();
  const request = (url.protocol === 'https:' ? https : http).get(url, { headers });
  const patience = new Patience(request, options.timeoutMs, options.signal);
  let response: http.IncomingMessage;
  try {
    response = await new Promise((resolve, reject) => request.on('response', resolve).on('error', reject));
  } catch (error) {
    throw patience.explain(error, source);
  }
  return {
    status: response.statusCode ?? 0,
    header: (name) => {
      const value = response.headers[name];
      return Array.isArray(value) ? value[0] : value;
    },
    source,
    chunks: () => readBody(response, patience, source),
    discard: () => {
      patience.end();
      response.on('error', () => undefined);
      request.destroy();
    },
  };
}

async function* readBody(response: http.IncomingMessage, patience: Patience, source: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of response) {
      patience.renew();
      yield chunk as Uint8Array;
    }
  } catch (error) {
    throw patience.explain(error, source);
  } finally {
    patience.end();
  }
}

/** Destroys a request when nothing has come for a while, or when the caller says so. */
class Patience {
  readonly #request: http.ClientRequest;
  readonly #caller: AbortSignal | undefined;
  readonly #timeoutMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #onAbort = (): void => void this.#request.destroy(new Error('stopped'));
  #isOver = false;

  constructor(request: http.ClientRequest, timeoutMs: number, caller: AbortSignal | undefined) {
    this.#request = request;
    this.#timeoutMs = timeoutMs;
    this.#caller = caller;
    this.#timer = setTimeout(() => {
      this.#isOver = true;
      request.destroy(new Error('too slow'));
    }, timeoutMs);
    caller?.addEventListener('abort', this.#onAbort, { once: true });
  }

  renew(): void {
    this.#timer.refresh();
  }

  end(): void {
    clearTimeout(this.#timer);
    this.#caller?.removeEventListener('abort', this.#onAbort);
  }

  /** What a failed request throws. */
  explain(error: unknown, source: string): unknown {
    this.end();
    if (this.#caller?.aborted === true) return this.#caller.reason;
    const { code, message } = rootOf(error);
    const problem = this.#isOver ? `nothing for ${this.#timeoutMs} ms` : [code, message].filter(Boolean).join(': ');
    return new Transient(
      unexpected('HUB_UNREACHABLE', `an answer from ${source}`, problem, {
        hint: 'Check the network, or HF_ENDPOINT for a mirror; HF_HUB_OFFLINE=1 uses what is cached; a directory needs no network at all.',
        cause: error,
      }),
    );
  }
}

/** Where a host has several addresses, the system's errors come in an AggregateError without a message. */
function rootOf(error: unknown): { readonly code?: string | undefined; readonly message: string } {
  const root: unknown = (error as Partial<AggregateError> | null)?.errors?.[0] ?? error;
  return types.isNativeError(root) ? root : { message: String(root) };
}

function withoutQuery(url: URL): string {
  return url.origin + url.pathname;
}
