import type { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { received } from '../../options.js';

/** A JSON object of a tokenizer file, with checked access to its fields; errors name file and field. Errors: TOKENIZER. */
export class JsonNode {
  readonly #fields: Readonly<Record<string, unknown>>;
  /** Where the object is, for messages: `tokenizer.json: model`. */
  readonly path: string;

  constructor(value: unknown, path: string) {
    if (value === null || typeof value !== 'object' || Array.isArray(value)) throw wrong('an object', path, value);
    this.#fields = value as Record<string, unknown>;
    this.path = path;
  }

  /** Parses a file. */
  static parse(text: string, file: string): JsonNode {
    let value: unknown;
    try {
      value = JSON.parse(text);
    } catch (cause) {
      throw unexpected('TOKENIZER', `JSON for ${file}`, `something else: ${(cause as Error).message}`, { cause });
    }
    return new JsonNode(value, file);
  }

  get keys(): string[] {
    return Object.keys(this.#fields);
  }

  /** Calls `visit` for every field: without a pair of objects for each, there being 100,000 of them at times. */
  forEach(visit: (name: string, value: unknown) => void): void {
    for (const name of Object.keys(this.#fields)) visit(name, this.#fields[name]);
  }

  /** The value of a field, null counting as absent. */
  get(name: string): unknown {
    return Object.hasOwn(this.#fields, name) ? (this.#fields[name] ?? undefined) : undefined;
  }

  has(name: string): boolean {
    return Object.hasOwn(this.#fields, name);
  }

  child(name: string): JsonNode | undefined {
    const value = this.get(name);
    return value === undefined ? undefined : new JsonNode(value, `${this.path}: ${name}`);
  }

  children(name: string): JsonNode[] {
    const value = this.get(name) ?? [];
    if (!Array.isArray(value)) throw this.wrong('a list', name, value);
    return value.map((item, i) => new JsonNode(item, `${this.path}: ${name}[${i}]`));
  }

  string(name: string): string | undefined;
  string(name: string, fallback: string): string;
  string(name: string, fallback?: string): string | undefined {
    const value = this.get(name) ?? fallback;
    if (value !== undefined && typeof value !== 'string') throw this.wrong('a string', name, value);
    if (value !== undefined && /[\ud800-\udfff]/u.test(value)) throw this.wrong('well-formed Unicode', name, value);
    return value;
  }

  boolean(name: string, fallback: boolean): boolean {
    const value = this.get(name) ?? fallback;
    if (typeof value !== 'boolean') throw this.wrong('true or false', name, value);
    return value;
  }

  integer(name: string, fallback: number | undefined, min: number, max: number): number {
    const value = this.get(name) ?? fallback;
    if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
      throw this.wrong(`a whole number from ${min} to ${max}`, name, value);
    }
    return value as number;
  }

  oneOf<const T extends string>(name: string, choices: readonly T[], fallback: T): T {
    const value = this.get(name) ?? fallback;
    if (!choices.includes(value as T))
      throw this.wrong(`one of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}`, name, value);
    return value as T;
  }

  wrong(expected: string, name: string, value: unknown): BerthaError {
    return wrong(expected, `${this.path}: ${name}`, value);
  }
}

function wrong(expected: string, path: string, value: unknown): BerthaError {
  return unexpected('TOKENIZER', `${expected} for ${path}`, received(value));
}

/** The error for an entry of a type that is not supported. */
export function unsupported(node: JsonNode, supported: string): BerthaError {
  const type = node.get('type');
  return unexpected('TOKENIZER', `${supported} for ${node.path}`, `${received(type)}: no other is supported`);
}
