import { received, unexpected, wrongOption } from './expected.js';
import type { BerthaError } from './errors.js';

export { received } from './expected.js';

/** What an option takes, for whoever offers it in another form, such as a flag of the command line. */
export type Takes =
  | { readonly kind: 'flag' | 'text' | 'texts' | 'number' }
  | { readonly kind: 'whole'; readonly least: number }
  | { readonly kind: 'choice'; readonly choices: readonly string[] };

/** Checks the value of one option and returns it typed. `name` is what an error calls it, for example `embed option maxLength`. */
export interface Check<T> {
  (value: unknown, name: string): T;
  readonly takes?: Takes;
}

/** The checks of a call's options by their names. */
export type Schema = Readonly<Record<string, Check<unknown>>>;

/** What `readOptions` returns: only the options that were given, each as its check returned it. */
export type Options<S extends Schema> = { readonly [Key in keyof S]?: ReturnType<S[Key]> };

/**
 * Reads the options of a call: each value once (it may be a getter), all of them before anything else happens. An option that is
 * undefined counts as not given.
 *
 * Errors: INVALID_OPTION for something that is not an object, an unknown name (with the name that was probably meant) or a value that
 * its check refuses. What a getter throws passes through.
 */
export function readOptions<S extends Schema>(call: string, options: unknown, schema: S): Options<S> {
  const read: Record<string, unknown> = {};
  if (options === undefined) return read as Options<S>;
  if (options === null || typeof options !== 'object' || Array.isArray(options)) {
    throw wrongOption(`an object for the options of ${call}`, options);
  }
  for (const key of Object.keys(options)) {
    if (!Object.hasOwn(schema, key)) throw unknownName(`option of ${call}`, key, Object.keys(schema));
  }
  for (const key in schema) {
    const value = (options as Record<string, unknown>)[key];
    if (value !== undefined) read[key] = schema[key]!(value, `${call} option ${key}`);
  }
  return read as Options<S>;
}

/** The error for a name that is none of `known`: it suggests the one that was probably meant, or lists them all. */
export function unknownName(what: string, name: string, known: readonly string[]): BerthaError {
  const meant = closest(name, known);
  const hint = meant !== undefined ? `Did you mean ${JSON.stringify(meant)}?` : `Known: ${known.join(', ') || 'none'}.`;
  return unexpected('INVALID_OPTION', `a known ${what}`, JSON.stringify(name), { hint });
}

/** A check with what it takes. */
export function taking<T>(takes: Takes, check: Check<T>): Check<T> {
  return Object.assign(check, { takes });
}

/** A check for true or false. */
export const flag: Check<boolean> = taking({ kind: 'flag' }, (value, name) => {
  if (typeof value !== 'boolean') throw refuse('true or false', name, value);
  return value;
});

/** A check for a string. */
export const text: Check<string> = taking({ kind: 'text' }, (value, name) => {
  if (typeof value !== 'string') throw refuse('a string', name, value);
  return value;
});

/** A check for a list of strings. */
export const strings: Check<readonly string[]> = taking({ kind: 'texts' }, (value, name) => {
  if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value as readonly string[];
  throw refuse('an array of strings', name, value);
});

/** A check for a limit of tokens, at least `least`: what cannot be is MAX_LENGTH, as a limit beyond the model's positions is. */
export function tokenLimit(least = 1): Check<number> {
  return taking({ kind: 'whole', least }, (value, name) => {
    if (Number.isSafeInteger(value) && (value as number) >= least) return value as number;
    throw unexpected('MAX_LENGTH', `a whole number of tokens, at least ${least}, for ${name}`, received(value));
  });
}

/** A check for an AbortSignal, of whatever realm. */
export const abortSignal: Check<AbortSignal> = (value, name) => {
  const signal = value as AbortSignal | null;
  if (
    typeof signal !== 'object' ||
    signal === null ||
    typeof signal.aborted !== 'boolean' ||
    typeof signal.addEventListener !== 'function'
  ) {
    throw refuse('an AbortSignal', name, value);
  }
  return signal;
};

/** A check for a function. */
export const callback: Check<(...values: unknown[]) => void> = (value, name) => {
  if (typeof value !== 'function') throw refuse('a function', name, value);
  return value as (...values: unknown[]) => void;
};

/** A check for a whole number from `min` to `max`. */
export function integer(min: number, max: number): Check<number> {
  return taking({ kind: 'whole', least: min }, (value, name) => {
    if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
      throw refuse(`a whole number from ${min} to ${max}`, name, value);
    }
    return value as number;
  });
}

/** A check for a finite number. */
export const finite: Check<number> = taking({ kind: 'number' }, (value, name) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) throw refuse('a finite number', name, value);
  return value;
});

/** A check for a length of time: milliseconds, from 0, not necessarily whole. */
export const milliseconds: Check<number> = (value, name) => {
  if (typeof value !== 'number' || !Number.isFinite(value) || value < 0) throw refuse('milliseconds from 0', name, value);
  return value;
};

/** A check for one of a few strings. */
export function oneOf<const T extends string>(choices: readonly T[]): Check<T> {
  return taking({ kind: 'choice', choices }, (value, name) => {
    if (!choices.includes(value as T)) throw refuse(`one of ${choices.map((choice) => JSON.stringify(choice)).join(', ')}`, name, value);
    return value as T;
  });
}

function refuse(wanted: string, name: string, value: unknown): BerthaError {
  return wrongOption(`${wanted} for ${name}`, value);
}

/** The known name that `name` begins, or else the nearest in edits, case aside, if it is near at all. */
function closest(name: string, known: readonly string[]): string | undefined {
  if (name.length > 60) return undefined;
  const plain = (text: string) => text.toLowerCase().replace(/[-_]/g, '');
  const wanted = plain(name);
  const begun = wanted.length < 3 ? undefined : known.find((candidate) => plain(candidate).startsWith(wanted));
  if (begun !== undefined) return begun;
  let best: string | undefined;
  let bestDistance = Math.max(2, Math.floor(name.length / 3)) + 1;
  for (const candidate of known) {
    const distance = editDistance(wanted, plain(candidate));
    if (distance < bestDistance) [best, bestDistance] = [candidate, distance];
  }
  return best;
}

/** Levenshtein distance. */
function editDistance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      const substituted = previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      current.push(Math.min(substituted, previous[j]! + 1, current[j - 1]! + 1));
    }
    previous = current;
  }
  return previous[b.length]!;
}
