type SnakeKey<S extends string> = S extends `${infer First}${infer Rest}`
  ? `${First extends Lowercase<First> ? First : `_${Lowercase<First>}`}${SnakeKey<Rest>}`
  : S;

/** The same object with its keys as Python spells them: topK becomes top_k. */
export type Snake<T> = { readonly [K in keyof T as K extends string ? SnakeKey<K> : K]: T[K] };

/** Renames the keys of an object from top_k to topK; keys that have no underscore stay. */
export function toCamelCase<T extends object>(object: object | undefined): T | undefined {
  if (typeof object !== 'object' || object === null) return object as T | undefined;
  return renamed(object, (key) => key.replace(/(?<=[a-z])_([a-z])/g, (_, letter: string) => letter.toUpperCase())) as T;
}

/** Renames the keys of an object from tokenStr to token_str. */
export function toSnakeCase<T extends object>(object: T): Snake<T> {
  return renamed(object, (key) => key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)) as Snake<T>;
}

function renamed(object: object, rename: (key: string) => string): object {
  return Object.fromEntries(Object.entries(object).map(([key, value]: [string, unknown]) => [rename(key), value]));
}
