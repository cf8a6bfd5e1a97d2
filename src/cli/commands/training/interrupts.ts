import type { TrainerCallback } from '../../../training/index.js';

/** The exit code of a command that an interrupt ended. */
const kInterrupted = 130;

/** Runs a training: the first interrupt ends it after a step, the second at once. Returns the exit code. */
export async function interruptibly(work: (interrupts: Interrupts) => Promise<void>): Promise<number> {
  const interrupts = new Interrupts();
  try {
    await work(interrupts);
    return interrupts.count === 0 ? 0 : kInterrupted;
  } catch (error) {
    if (interrupts.count > 1) return kInterrupted;
    throw error;
  } finally {
    interrupts.restore();
  }
}

/** Runs work that an interrupt aborts; a second one ends the process at once. Returns the exit code. */
export async function untilInterrupted(work: (signal: AbortSignal) => Promise<void>): Promise<number> {
  const abort = new AbortController();
  const restore = hearAlone(() => {
    if (abort.signal.aborted) process.exit(kInterrupted);
    abort.abort();
  });
  try {
    await work(abort.signal);
    return 0;
  } catch (error) {
    if (abort.signal.aborted && error === abort.signal.reason) return kInterrupted;
    throw error;
  } finally {
    restore();
  }
}

/** Hears interrupts instead of whoever does, until the returned function is called: what ends the process at once would leave things half done. */
function hearAlone(hear: () => void): () => void {
  const others = process.listeners('SIGINT');
  for (const listener of others) process.removeListener('SIGINT', listener);
  process.on('SIGINT', hear);
  return () => {
    process.removeListener('SIGINT', hear);
    for (const listener of others) process.on('SIGINT', listener);
  };
}

/** The first interrupt ends training after the step that is computed, with a checkpoint; the second aborts it. */
export class Interrupts {
  count = 0;
  readonly #abort = new AbortController();
  readonly restore = hearAlone(() => {
    if (++this.count > 1) this.#abort.abort();
    else process.stderr.write('bertha: stopping after this step, with a checkpoint; interrupt again to abort\n');
  });

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  /** Ends the run after a step once an interrupt came. */
  get callback(): TrainerCallback {
    return {
      onStepEnd: ({ control }) => {
        if (this.count === 0) return;
        control.shouldSave = true;
        control.shouldTrainingStop = true;
      },
    };
  }
}
