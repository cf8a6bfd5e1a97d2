/** Longest stretch of tokenization in one turn of the event loop, in milliseconds, all calls of the thread together. */
const kSliceMs = 2;

const waiting: (() => void)[] = [];
let end: number | undefined;
let isScheduled = false;

/** A call's share of the event loop's turns. Calls that wait for a turn get one each, in order. */
export class Turn {
  readonly #signal: AbortSignal | undefined;

  constructor(signal: AbortSignal | undefined) {
    this.#signal = signal;
  }

  /** Whether tokenization has used up its share of the event loop's present turn. */
  get isOver(): boolean {
    if (end === undefined) {
      end = performance.now() + kSliceMs;
      schedule();
    }
    return performance.now() >= end;
  }

  /** Lets others run. Throws the signal's reason if it was aborted meanwhile. */
  async next(): Promise<void> {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      schedule();
    });
    this.#signal?.throwIfAborted();
  }
}

function schedule(): void {
  if (isScheduled) return;
  isScheduled = true;
  setImmediate(advance);
}

function advance(): void {
  isScheduled = false;
  const next = waiting.shift();
  end = next === undefined ? undefined : performance.now() + kSliceMs;
  if (next === undefined) return;
  schedule();
  next();
}
