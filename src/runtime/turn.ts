import { afterInteractive, type RunOptions } from './session.js';

type Priority = NonNullable<RunOptions['priority']>;

/** The calls of one priority that take turns on this thread's event loop. */
class Lane {
  readonly #sliceMs: number;
  readonly #pause: (resume: () => void) => void;
  readonly #waiting: (() => void)[] = [];
  #end: number | undefined;
  #isScheduled = false;

  /** A turn of the event loop has `sliceMs` for all calls of the lane together; `pause` lets others have the next one. */
  constructor(sliceMs: number, pause: (resume: () => void) => void) {
    this.#sliceMs = sliceMs;
    this.#pause = pause;
  }

  get isOver(): boolean {
    if (this.#end === undefined) {
      this.#end = performance.now() + this.#sliceMs;
      this.#schedule();
    }
    return performance.now() >= this.#end;
  }

  next(): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#pause(() => this.#advance());
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

/** Longest wait of a bulk call for its next turn while interactive calls come without a pause, in milliseconds. */
const kMostWaitMs = 10;

const lanes: Readonly<Record<Priority, Lane>> = {
  interactive: new Lane(2, setImmediate),
  // A thread that tokenizes shares the processors with the pool, which computes what somebody waits for.
  bulk: new Lane(2, (resume) => afterInteractive(resume, kMostWaitMs)),
};

/** A call's share of the event loop's turns. Calls of one priority that wait for a turn get one each, in order. */
export class Turn {
  readonly #signal: AbortSignal | undefined;
  readonly #lane: Lane;

  constructor(signal: AbortSignal | undefined, priority: Priority = 'interactive') {
    this.#signal = signal;
    this.#lane = lanes[priority];
  }

  /** Whether tokenization has used up its share of the event loop's present turn: 2 ms. */
  get isOver(): boolean {
    return this.#lane.isOver;
  }

  /** Lets others run. Throws the signal's reason if it was aborted meanwhile. */
  async next(): Promise<void> {
    await this.#lane.next();
    this.#signal?.throwIfAborted();
  }
}
