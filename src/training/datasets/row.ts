/** A row of a file or of a user: fields by their names. */
export type Row = Readonly<Record<string, unknown>>;

/** Where rows of files were read. */
const places = new WeakMap<object, { readonly name: string; readonly line: number }>();

/** Remembers the file and line (from 1) of a row, for errors about what is in it. */
export function notePlace<R extends object>(row: R, name: string, line: number): R {
  places.set(row, { name, line });
  return row;
}

/** Remembers for a row where another was read that it was made of. */
export function keepPlace<R extends object>(row: R, from: object): R {
  const place = places.get(from);
  if (place !== undefined) places.set(row, place);
  return row;
}

/** What errors call a row: its line and file, or its index. */
export function describeRow(row: unknown, index: number): string {
  const place = typeof row === 'object' && row !== null ? places.get(row) : undefined;
  return place === undefined ? `the row at index ${index}` : `line ${place.line} of ${place.name}`;
}
