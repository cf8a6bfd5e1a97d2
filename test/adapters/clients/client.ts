import assert from 'node:assert/strict';
import type { Expected } from '../../../scripts/clients/expected.js';

/** A server that a client is pointed at, and what the library itself says. */
export interface Served {
  /** `http://HOST:PORT`. */
  readonly address: string;
  readonly key: string;
  readonly expected: Expected;
}

/** One call of a client. */
export interface Check {
  /** The package. */
  readonly client: string;
  /** Method and path that the client is expected to ask. */
  readonly route: string;
  readonly what: string;
  /** Rejects where the client, or its user, does not get what the library says. */
  readonly run: (served: Served) => Promise<void>;
}

/** Compares numbers as float32, bit by bit: what was printed, or sent in base64, reads back to the same. */
export function sameVectors(actual: readonly (readonly number[])[], expected: readonly (readonly number[])[]): void {
  assert.deepEqual(actual.map(bitsOf), expected.map(bitsOf));
}

/** Compares numbers of JSON, which JavaScript reads back to the same float64. */
export function same(actual: unknown, expected: unknown): void {
  assert.deepEqual(JSON.parse(JSON.stringify(actual)), JSON.parse(JSON.stringify(expected)));
}

/** Expects a refusal whose message reaches the client's user, in the error or in what it holds. */
export async function refused(call: () => PromiseLike<unknown>, pattern: RegExp): Promise<void> {
  try {
    await call();
  } catch (error) {
    assert.match(allOf(error), pattern);
    return;
  }
  assert.fail(`expected an error with ${pattern} but the call was answered`);
}

const bitsOf = (vector: readonly number[]): Uint32Array => new Uint32Array(Float32Array.from(vector).buffer);

function allOf(error: unknown): string {
  const { message, body, httpResponse, response, data, responseBody } = error as Record<string, unknown>;
  return [message, body, httpResponse, response, data, responseBody]
    .map((each) => (typeof each === 'string' ? each : (JSON.stringify(each) ?? '')))
    .join('\n');
}
