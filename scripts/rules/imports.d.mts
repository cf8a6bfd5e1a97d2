/** Every breach of the rules by `files`, the repository's; `read` gives the text of one. */
export function importBreaches(files: readonly string[], read?: (file: string) => string): string[];
