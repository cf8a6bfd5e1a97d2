import { BerthaError, type ErrorCode } from '../errors.js';
import { isCodedError } from '../realms.js';

/** Native errors carry a code and no JavaScript stack: they become BerthaErrors with the caller's. */
export function toBerthaError(error: unknown): unknown {
  if (!isCodedError(error) || error instanceof BerthaError) return error;
  return new BerthaError(error.code as ErrorCode, error.message, { cause: error });
}

/** What a call into the addon returns. Errors: those of the addon, as BerthaErrors. */
export function callNative<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    throw toBerthaError(error);
  }
}
