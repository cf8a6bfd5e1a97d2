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

/** The first interrupt ends training after the step that is computed, with a checkpoint; the second aborts it. */
export class Interrupts {
  count = 0;
  readonly #abort = new AbortController();
  readonly #others = process.listeners('SIGINT');
  readonly #hear = (): void => {
    if (++this.count > 1) this.#abort.abort();
    else process.stderr.write('bertha: stopping after this step, with a checkpoint; interrupt again to abort\n');
  };

  constructor() {
    // What ends the process at once would lose the run.
    for (const listener of this.#others) process.removeListener('SIGINT', listener);
    process.on('SIGINT', this.#hear);
  }

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

  restore(): void {
    process.removeListener('SIGINT', this.#hear);
    for (const listener of this.#others) process.on('SIGINT', listener);
  }
}
