import type { BerthaError, ErrorCode } from '../errors.js';
import { unexpected } from '../expected.js';
import { describe, quote } from './describe.js';

/** An object as JSON.parse returns it. */
export type JsonObject = Readonly<Record<string, unknown>>;

/** Whether a parsed JSON value is an object (not null, not an array). */
export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Parses JSON whose top level must be an object. Errors: `code`, naming `file`. */
export function parseJsonObject(text: string, file: string, code: ErrorCode): JsonObject {
  const value = parseJson(text, file, code);
  if (!isJsonObject(value)) throw unexpected(code, `a JSON object for ${file}`, describe(value));
  return value;
}

/** Parses JSON. Errors: `code`, naming `file`; the text itself is not repeated in the message. */
export function parseJson(text: string, file: string, code: ErrorCode): unknown {
  try {
    return JSON.parse(text);
  } catch {
    const start = text.startsWith('\ufeff') ? ' that begins with a byte order mark' : '';
    throw unexpected(code, `valid JSON for ${file}`, `${text.length} characters${start} that are not`);
  }
}

/**
 * Reads fields of an object that came from a file. Each method names file and field in its error, looks at own properties only (a key
 * `__proto__` is just a key), and takes a missing field or null as absent.
 */
export class JsonFields {
  readonly #object: JsonObject;
  readonly #file: string;
  readonly #code: ErrorCode;

  constructor(object: JsonObject, file: string, code: ErrorCode) {
    this.#object = object;
    this.#file = file;
    this.#code = code;
  }

  get(key: string): unknown {
    return Object.hasOwn(this.#object, key) ? (this.#object[key] ?? undefined) : undefined;
  }

  has(key: string): boolean {
    return this.get(key) !== undefined;
  }

  /** Whether the file has the key at all, be it null. */
  contains(key: string): boolean {
    return Object.hasOwn(this.#object, key);
  }

  /** The keys that are present. */
  keys(): string[] {
    return Object.keys(this.#object).filter((key) => this.has(key));
  }

  integer(key: string, min: number, max: number): number | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
      throw this.error(key, `an integer in ${min}..${max}`, value);
    return value;
  }

  requiredInteger(key: string, min: number, max: number): number {
    const value = this.integer(key, min, max);
    if (value === undefined) throw this.error(key, `an integer in ${min}..${max}`, undefined);
    return value;
  }

  boolean(key: string): boolean | undefined {
    const value = this.get(key);
    if (value !== undefined && typeof value !== 'boolean') throw this.error(key, 'true or false', value);
    return value;
  }

  string(key: string): string | undefined {
    const value = this.get(key);
    if (value !== undefined && typeof value !== 'string') throw this.error(key, 'a string', value);
    return value;
  }

  strings(key: string): readonly string[] | undefined {
    const value = this.get(key);
    if (value === undefined) return undefined;
    if (!Array.isArray(value) || !value.every((item): item is string => typeof item === 'string'))
      throw this.error(key, 'an array of strings', value);
    return value;
  }

  object(key: string): JsonObject | undefined {
    const value = this.get(key);
    if (value !== undefined && !isJsonObject(value)) throw this.error(key, 'an object', value);
    return value;
  }

  /** The error for a field; with another `code` where the field is legal but not supported. */
  error(key: string, expected: string, received: unknown, code = this.#code): BerthaError {
    return unexpected(code, `${expected} for ${quote(key)} of ${this.#file}`, describe(received));
  }
}
