const kTickMs = 100;
const kWindowMs = 5000;

/** How long the event loop stood still at most in the last five to ten seconds. */
export class EventLoopLag {
  readonly #timer: NodeJS.Timeout;
  #last = performance.now();
  #windowEnd = this.#last + kWindowMs;
  #most = 0;
  #mostBefore = 0;

  constructor() {
    this.#timer = setInterval(() => this.#note(), kTickMs).unref();
  }

  /** Milliseconds. */
  get ms(): number {
    this.#note();
    return Math.round(Math.max(this.#most, this.#mostBefore));
  }

  /** Ends the measurement. */
  stop(): void {
    clearInterval(this.#timer);
  }

  #note(): void {
    const now = performance.now();
    this.#most = Math.max(this.#most, now - this.#last - kTickMs, 0);
    this.#last = now;
    if (now < this.#windowEnd) return;
    [this.#mostBefore, this.#most] = [this.#most, 0];
    this.#windowEnd = now + kWindowMs;
  }
}
