/** One text of a command, and what came with it. */
export interface Item {
  readonly text: string;
  /** The second text, where the command works on pairs. */
  readonly pair?: string;
  /** The other fields of a line of JSON or CSV; they are passed on to the output. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Where it was read, such as `line 7 of texts.jsonl`; absent for arguments. */
  readonly place?: string;
}

/** What the output says of an item: a field whose name the result uses itself is written as `input_NAME`. */
export function withFields(result: Readonly<Record<string, unknown>>, { fields }: Item): Record<string, unknown> {
  if (fields === undefined) return result;
  const others = Object.entries(fields).map(([name, value]) => [Object.hasOwn(result, name) ? `input_${name}` : name, value] as const);
  return { ...result, ...Object.fromEntries(others) };
}
