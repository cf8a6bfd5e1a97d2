const LONGEST_NAME = 80;
const LONGEST_PATH = 4096;

/** A name from a file, made fit for an error message: quoted, control and bidirectional characters escaped, cut after 80 characters. */
export function quote(name: string): string {
  return quoteUpTo(LONGEST_NAME, name);
}

/** The same for a path, which is worth showing whole. */
export function quotePath(path: string): string {
  return quoteUpTo(LONGEST_PATH, path);
}

function quoteUpTo(longest: number, text: string): string {
  const escaped = JSON.stringify(text.slice(0, longest)).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
  return text.length > longest ? `${escaped}… (${text.length} characters)` : escaped;
}

/** A value from a file with its type, for `... but received <value> of type <type>`. */
export function describe(value: unknown): string {
  if (value === undefined) return 'nothing';
  if (value === null) return 'null';
  if (typeof value === 'string') return `${quote(value)} of type string`;
  if (Array.isArray(value)) return `an array of length ${value.length}`;
  if (typeof value === 'object') return 'an object';
  return `${String(value)} of type ${typeof value}`;
}
