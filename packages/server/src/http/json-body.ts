import { isAscii, isUtf8 } from 'node:buffer';
import { RequestError } from '../failures/failures.js';

/** Brackets within brackets: no request of any API needs more than five. */
const kMostDepth = 64;

const wrong = (message: string): RequestError => new RequestError({ status: 400, code: 'invalid_json', type: 'Validation', message });

/**
 * Reads a body as JSON, strictly: UTF-8 without a byte order mark, an object, no key twice, nothing nested deeper than 64, no key that could change a
 * prototype.
 *
 * Errors: RequestError, 400.
 */
export function parseJsonBody(body: Buffer): object {
  if (body.length === 0) throw wrong('Expected a JSON object but the body is empty.');
  const isPlain = isAscii(body);
  if (!isPlain && !isUtf8(body)) throw wrong('Expected JSON in UTF-8 but the body holds bytes that are none.');
  const text = body.toString(isPlain ? 'latin1' : 'utf8');
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong('Expected JSON but the body is malformed or cut off.');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('Expected a JSON object for the body.');
  checkStructure(text);
  return value;
}

/** Errors: 400 for repeated and dangerous keys, and for depth. The text is known to be JSON, so that strings end and brackets close. */
function checkStructure(text: string): void {
  const keys: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    const character = text.charCodeAt(i);
    if (character === 0x22) {
      const end = endOfString(text, i);
      const own = keys.at(-1);
      if (own !== undefined && isKey(text, end)) checkKey(keyIn(text.slice(i + 1, end)), own);
      i = end;
    } else if (character === 0x7b || character === 0x5b) {
      if (keys.push(character === 0x7b ? new Set() : undefined) > kMostDepth) {
        throw wrong(`Expected JSON that is nested at most ${kMostDepth} deep.`);
      }
    } else if (character === 0x7d || character === 0x5d) {
      keys.pop();
    }
  }
}

/** The place of the quote that ends the string which begins at `begin`. */
function endOfString(text: string, begin: number): number {
  for (let end = text.indexOf('"', begin + 1); ; end = text.indexOf('"', end + 1)) {
    let backslashes = 0;
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes++;
    if (backslashes % 2 === 0) return end;
  }
}

/** A key as it is meant, of what stands between its quotes. */
function keyIn(text: string): string {
  return text.includes('\\') ? (JSON.parse(`"${text}"`) as string) : text;
}

function isKey(text: string, end: number): boolean {
  let next = end + 1;
  while (text.charCodeAt(next) <= 0x20) next++;
  return text.charCodeAt(next) === 0x3a;
}

function checkKey(key: string, own: Set<string>): void {
  if (own.has(key)) throw wrong(`Expected every key once but received ${JSON.stringify(key.slice(0, 64))} twice.`);
  if (key === '__proto__' || key === 'constructor' || key === 'prototype') throw wrong(`Expected no key of the name ${key}.`);
  own.add(key);
}
