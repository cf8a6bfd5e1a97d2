type SnakeKey<S extends string> = S extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeKey<Rest>}`
  : S;
type CamelKey<S extends string> = S extends `${infer First}_${infer Rest}` ? `${First}${Capitalize<CamelKey<Rest>>}` : S;

/** The same object with its keys as Python spells them: topK becomes top_k. */
export type Snake<T> = { readonly [K in keyof T as K extends string ? SnakeKey<K> : K]: T[K] };

/** An object that is also read by the names of its keys in camel case: `token_str` as `tokenStr`. */
export type WithCamelCase<T> = T & { readonly [K in keyof T as K extends `${string}_${string}` ? CamelKey<K> : never]: T[K] };

/** The same object with its keys in camel case: token_str becomes tokenStr. */
export type CamelCase<T> = { readonly [K in keyof T as K extends string ? CamelKey<K> : K]: T[K] };

/** Renames the keys of an object from top_k to topK; keys that have no underscore stay. */
export function toCamelCase<T extends object>(object: object | undefined): T | undefined {
  if (typeof object !== 'object' || object === null) return object as T | undefined;
  return renamed(object, camelKey) as T;
}

/** Renames the keys of an object from tokenStr to token_str. */
export function toSnakeCase<T extends object>(object: T): Snake<T> {
  return renamed(object, (key) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)) as Snake<T>;
}

/**
 * Gives an object its keys in camel case besides: `token_str` is also read as `tokenStr`. These names are not enumerable, so that JSON,
 * comparisons and spreading see the keys of transformers.js alone.
 */
export function withCamelCase<T extends object>(object: T): WithCamelCase<T> {
  for (const key of Object.keys(object)) {
    const alias = camelKey(key);
    if (alias === key || Object.hasOwn(object, alias)) continue;
    const target = object as Record<string, unknown>;
    Object.defineProperty(object, alias, { get: () => target[key], set: (value: unknown) => (target[key] = value), configurable: true });
  }
  return object as WithCamelCase<T>;
}

function camelKey(key: string): string {
  return key.replace(/(?<=[a-z])_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function renamed(object: object, rename: (key: string) => string): object {
  return Object.fromEntries(Object.entries(object).map(([key, value]: [string, unknown]) => [rename(key), value]));
}
