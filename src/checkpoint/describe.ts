const LONGEST_SHOWN = 80;

/** A name from a file, made fit for an error message: quoted, control and bidirectional characters escaped, cut after 80 characters. */
export function quote(text: string): string {
  const shown = text.length > LONGEST_SHOWN ? text.slice(0, LONGEST_SHOWN) : text;
  const escaped = JSON.stringify(shown).replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (c) => `\\u{${c.codePointAt(0)!.toString(16)}}`);
  return text.length > LONGEST_SHOWN ? `${escaped}… (${text.length} characters)` : escaped;
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
