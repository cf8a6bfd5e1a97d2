import type { FastifyReply } from 'fastify';

/** Between looks at the bodies that have not come, at most. */
const kLongestTickMs = 1000;

/** Ends requests whose bodies do not come. One timer looks at all of them: a timer for each would cost more than reading most bodies does. */
export class BodyDeadlines {
  /** When each began to come, in milliseconds. */
  readonly #begun = new Map<FastifyReply, number>();
  readonly #limitMs: number;
  readonly #refuse: (reply: FastifyReply) => void;
  readonly #timer: NodeJS.Timeout;

  /** A body may take `limitMs`, and up to a second or a tenth of that more; then `refuse` answers. */
  constructor(limitMs: number, refuse: (reply: FastifyReply) => void) {
    this.#limitMs = limitMs;
    this.#refuse = refuse;
    this.#timer = setInterval(() => this.#look(), Math.min(kLongestTickMs, Math.ceil(limitMs / 10))).unref();
  }

  /** The body of a request begins to come. */
  add(reply: FastifyReply): void {
    this.#begun.set(reply, performance.now());
  }

  /** The request is over. */
  delete(reply: FastifyReply): void {
    this.#begun.delete(reply);
  }

  /** Ends the looking. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const last = performance.now() - this.#limitMs;
    for (const [reply, begun] of this.#begun) {
      const { raw } = reply.request;
      if (raw.complete || raw.destroyed) this.#begun.delete(reply);
      else if (begun <= last) {
        this.#begun.delete(reply);
        this.#refuse(reply);
      }
    }
  }
}
