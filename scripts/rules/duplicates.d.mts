/** The passages of six lines that stand in two files, or twice in one, as breaches; `read` gives the text of a file. */
export function duplicateBreaches(files: readonly string[], read?: (file: string) => string): string[];

export interface Duplicate {
  readonly first: string;
  readonly second: string;
  readonly lines: number;
}

/** Every such passage, `file:line` each; `byShape` also those that differ in names and numbers alone. */
export function duplicates(
  files: readonly string[],
  options?: { readonly byShape?: boolean; readonly read?: (file: string) => string },
): Duplicate[];
