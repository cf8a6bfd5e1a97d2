import { RequestError } from '../failures/failures.js';

/** How much the server takes at once. */
export interface AdmissionLimits {
  /** Requests that wait or run. */
  readonly maxRequests: number;
  /** Tokens of them, by the estimate that `admit` is given. */
  readonly maxQueuedTokens: number;
}

/** Milliseconds of work after which what was measured before counts half. */
const kWindowMs = 10_000;

/**
 * Takes requests whole or refuses them whole, by tokens: a batch of 1,000 texts is not starved by single ones, and a single one is not refused because
 * a batch has many texts. What was taken waits in the library's scheduler; there is no second queue.
 */
export class Admission {
  readonly #limits: AdmissionLimits;
  #requests = 0;
  #tokens = 0;
  #done = { tokens: 0, ms: 0 };
  #busySince = 0;

  constructor(limits: AdmissionLimits) {
    this.#limits = limits;
  }

  /** Requests that were taken and are not answered. */
  get requests(): number {
    return this.#requests;
  }

  /** Their tokens. */
  get tokens(): number {
    return this.#tokens;
  }

  /** Tokens computed a second while there was work; 0 before the first answer. */
  get tokensPerSecond(): number {
    return this.#done.ms === 0 ? 0 : (this.#done.tokens * 1000) / this.#done.ms;
  }

  /**
   * Takes a request of about so many tokens; what it returns has to be called once it is answered, with whether it was computed. A request that alone is larger than the limit is taken
   * when nothing else waits.
   *
   * Errors: RequestError QUEUE_FULL, 429: too much waits.
   */
  admit(tokens: number): (isComputed: boolean) => void {
    const { maxRequests, maxQueuedTokens } = this.#limits;
    const isFull = this.#requests >= maxRequests || (this.#tokens > 0 && this.#tokens + tokens > maxQueuedTokens);
    if (isFull) throw this.#full();
    if (this.#requests++ === 0) this.#busySince = performance.now();
    this.#tokens += tokens;
    return (isComputed) => this.#release(tokens, isComputed);
  }

  #release(tokens: number, isComputed: boolean): void {
    this.#requests--;
    this.#tokens -= tokens;
    const now = performance.now();
    const done = this.#done;
    if (isComputed) done.tokens += tokens;
    done.ms += now - this.#busySince;
    this.#busySince = now;
    if (done.ms < kWindowMs) return;
    done.tokens /= 2;
    done.ms /= 2;
  }

  /** How long what was taken will keep the pool busy. */
  #waitMs(): number {
    const rate = this.tokensPerSecond;
    return rate === 0 ? 0 : (this.#tokens * 1000) / rate;
  }

  #full(): RequestError {
    const seconds = Math.min(30, Math.max(1, Math.ceil(this.#waitMs() / 1000)));
    return new RequestError({
      status: 429,
      code: 'QUEUE_FULL',
      type: 'Overloaded',
      message: `Too much is waiting: ${this.#requests} requests of about ${Math.round(this.#tokens)} tokens. Try again in ${seconds} s.`,
      headers: { 'retry-after': String(seconds) },
    });
  }
}
