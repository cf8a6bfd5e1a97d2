import { setTimeout as sleep } from 'node:timers/promises';
import { BerthaError } from 'bertha-encoder';
import { errorMessage, withoutCredentials } from './failures.js';

/** How long a call waits for a service that cannot be reached. */
export interface Patience {
  /** Such as `The queue redis://127.0.0.1:6379`. */
  readonly what: string;
  readonly totalMs: number;
  /** Of the error in the end. Default QUEUE. */
  readonly code?: 'QUEUE' | 'STORE' | undefined;
  /** Whether a call that has no answer when the time is over is given up. Default true; what may take long waits for its connection only. */
  readonly cutsCalls?: boolean | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Called once, when the first try has failed. */
  readonly onWait?: ((problem: string) => void) | undefined;
}

/** SQL states of a server that is being started, stopped or was lost: 08*, 57P01 to 57P03, 53300 (too many connections); and of two that waited for each other: 40*. */
const passingStates = /^(08...|57P0[123]|53300|40001|40P01)$/;
/** Of libuv: the address is there, or will be, and nobody answers. */
const passingCodes = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'EPIPE',
  'ETIMEDOUT',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'ENOENT',
]);
/** Errors of ioredis, pg, BullMQ and chromadb that have no code. */
const passingWords =
  /Connection is closed|Connection terminated|Stream isn't writeable|max retries per request|LOADING|is not initialized|Failed to connect to chroma|timeout/i;

/**
 * Calls `act` until it does not fail for want of a connection, with pauses from 0.2 to 5 s, for `totalMs` at most. `act` must be harmless when it is done
 * twice: a try may have reached the service before its answer was lost.
 *
 * Errors: QUEUE (`code`) with the last problem, what `act` throws otherwise, the signal's reason.
 */
export async function withPatience<T>(
  act: () => Promise<T>,
  { what, totalMs, code = 'QUEUE', cutsCalls = true, signal, onWait }: Patience,
): Promise<T> {
  const end = performance.now() + totalMs;
  let problem = '';
  for (let attempt = 0; ; attempt++) {
    signal?.throwIfAborted();
    const left = end - performance.now();
    try {
      return await (cutsCalls ? within(act(), Math.max(left, 1)) : act());
    } catch (error) {
      if (!isPassing(error)) throw error;
      if (error !== timeUp || problem === '') problem = withoutCredentials(messageOf(error));
      const pause = Math.min(200 * 2 ** attempt, 5000);
      if (performance.now() + pause >= end) {
        const seconds = Math.round(totalMs / 1000);
        throw new BerthaError(code, `${what} could not be reached within ${seconds} s: ${problem}. Start it, or correct the URL.`, {
          cause: error,
        });
      }
      if (attempt === 0) onWait?.(problem);
      await pauseFor(pause, signal);
    }
  }
}

/** Waits. Errors: the signal's reason. */
export async function pauseFor(ms: number, signal: AbortSignal | undefined): Promise<void> {
  // The timer's own error would be an AbortError, whatever the reason is.
  await sleep(ms, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
  signal?.throwIfAborted();
}

const timeUp = new Error('no answer');

/** A driver that connects again by itself keeps its calls waiting: the time is up for them too. */
async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  const timer = new AbortController();
  const late = sleep(ms, undefined, { signal: timer.signal }).then(() => {
    throw timeUp;
  });
  late.catch(() => undefined);
  promise.catch(() => undefined);
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}

function isPassing(error: unknown): boolean {
  if (error === timeUp) return true;
  const { code, errors, severity } = error as {
    readonly code?: unknown;
    readonly errors?: readonly unknown[];
    readonly severity?: unknown;
  };
  // PostgreSQL has answered: its state says what is wrong, its words may be about any other timeout.
  if (severity !== undefined) return passingStates.test(String(code));
  if (errors?.some(isPassing) === true) return true;
  if (typeof code === 'string' && passingCodes.has(code)) return true;
  return passingWords.test(messageOf(error));
}

/** A failed connection to a name with several addresses has its words in the errors that it sums up. */
export function messageOf(error: unknown): string {
  const { errors } = error as { readonly errors?: readonly unknown[] };
  return errorMessage(error) || (errors?.map(messageOf).join(', ') ?? '');
}
