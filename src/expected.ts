import { BerthaError, type ErrorCode } from './errors.js';

// The words of errors about values: "Expected a string for text 3 of embed but received 7 of type number. Pass …".

/** What follows the sentence: what to do about it, and the error underneath. */
export interface ErrorDetails {
  /** Whole sentences. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * The error for a value that is not what was expected: `Expected ${wanted} but received ${got}.`, then the hint. `wanted` also names
 * the place (`a string for text 3 of embed`); `got` is words, for a caller's value those of `received`. Its stack begins at the caller.
 */
export function unexpected(
  code: ErrorCode,
  wanted: string,
  got: string | number | bigint,
  { hint, ...cause }: ErrorDetails = {},
): BerthaError {
  const message = `Expected ${wanted} but received ${got}.${hint === undefined ? '' : ` ${hint}`}`;
  return withoutFrame(unexpected, new BerthaError(code, message, cause));
}

/** The error INVALID_ARG for the value of an argument. */
export function wrongArgument(wanted: string, value: unknown, details?: ErrorDetails): BerthaError {
  return withoutFrame(wrongArgument, unexpected('INVALID_ARG', wanted, received(value), details));
}

/** The error INVALID_OPTION for the value of an option. */
export function wrongOption(wanted: string, value: unknown, details?: ErrorDetails): BerthaError {
  return withoutFrame(wrongOption, unexpected('INVALID_OPTION', wanted, received(value), details));
}

/** A value and its type as error messages show them: short, on one line, and never by calling into the value. */
export function received(value: unknown): string {
  if (value === undefined || value === null) return String(value);
  if (typeof value === 'string') return `${JSON.stringify(value.length > 60 ? `${value.slice(0, 60)}…` : value)} of type string`;
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  if (typeof value === 'object') return 'an object';
  if (typeof value === 'function') return 'a function';
  return `${String(value)} of type ${typeof value}`;
}

function withoutFrame(helper: (...values: never[]) => unknown, error: BerthaError): BerthaError {
  Error.captureStackTrace(error, helper);
  return error;
}
