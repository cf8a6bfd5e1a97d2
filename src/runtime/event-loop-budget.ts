import { afterInteractive, type RunOptions } from './session.js';

type Priority = NonNullable<RunOptions['priority']>;

/** The time that all calls of one priority may spend in one turn of this thread's event loop. */
class Lane {
  readonly #budgetMs: number;
  readonly #defer: (resume: () => void) => void;
  readonly #waiting: (() => void)[] = [];
  #end: number | undefined;
  #isScheduled = false;

  /** `budgetMs` for each turn of the event loop; `defer` resumes in a later one. */
  constructor(budgetMs: number, defer: (resume: () => void) => void) {
    this.#budgetMs = budgetMs;
    this.#defer = defer;
  }

  get isSpent(): boolean {
    if (this.#end === undefined) {
      this.#end = performance.now() + this.#budgetMs;
      this.#schedule();
    }
    return performance.now() >= this.#end;
  }

  yield(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#defer(() => this.#advance());
  }

  #advance(): void {
    this.#isScheduled = false;
    this.#end = undefined;
    const next = this.#waiting.shift();
    if (next === undefined) return;
    this.#schedule();
    next();
  }
}

/** Longest wait of a bulk call while interactive calls come without a pause, in milliseconds. */
const kMostWaitMs = 10;

const lanes: Readonly<Record<Priority, Lane>> = {
  interactive: new Lane(2, setImmediate),
  // A thread that tokenizes shares the processors with the pool, which computes what somebody waits for.
  bulk: new Lane(2, (resume) => afterInteractive(resume, kMostWaitMs)),
};

/** Cooperative scheduling of what a call does on the event loop: calls of one priority share a budget, and go on in the order they yield. */
export class Budget {
  readonly #signal: AbortSignal | undefined;
  readonly #lane: Lane;

  constructor(signal: AbortSignal | undefined, priority: Priority = 'interactive') {
    this.#signal = signal;
    this.#lane = lanes[priority];
  }

  /** Whether the budget of the present turn of the event loop, 2 ms, is spent. */
  get isSpent(): boolean {
    return this.#lane.isSpent;
  }

  /** Goes on in a later turn of the event loop. Throws the signal's reason if it was aborted meanwhile. */
  async yield(): Promise<void> {
    await this.#lane.yield();
    this.#signal?.throwIfAborted();
  }
}
