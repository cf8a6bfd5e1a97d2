import { unexpected } from '../expected.js';
import { milliseconds, type Check } from '../options.js';

/** A point in time after which nothing of a call is started any more. */
export class Deadline {
  readonly #at: number;

  /** `ms` milliseconds from now. */
  constructor(ms: number) {
    this.#at = performance.now() + ms;
  }

  /** Milliseconds until then, at least 0. */
  get left(): number {
    return Math.max(0, this.#at - performance.now());
  }

  /** Errors: DEADLINE, if it has passed. */
  check(): void {
    if (this.left > 0) return;
    throw unexpected('DEADLINE', 'all work of the call to have begun before its deadline', 'more to do');
  }
}

/** A check for the option `deadlineMs`: milliseconds, counted from when the options of the call are read. */
export const deadline: Check<Deadline> = (value, name) => new Deadline(milliseconds(value, name));
