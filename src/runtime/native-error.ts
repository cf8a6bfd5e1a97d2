import { BerthaError } from '../errors.js';

/** Native errors carry a code and no JavaScript stack: they become BerthaErrors with the caller's. */
export function toBerthaError(error: unknown): unknown {
  if (!(error instanceof Error) || error instanceof BerthaError) return error;
  const { code } = error as Error & { code?: unknown };
  return typeof code === 'string' ? new BerthaError(code, error.message, { cause: error }) : error;
}

/** What a call into the addon returns. Errors: those of the addon, as BerthaErrors. */
export function callNative<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw toBerthaError(error);
  }
}
