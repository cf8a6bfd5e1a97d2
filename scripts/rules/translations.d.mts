/** Where the pages of `files` and their Chinese translations among them differ, as `file:line: expected … got …`; `read` gives the text of a file. */
export function translationBreaches(files: readonly string[], read?: (file: string) => string): string[];
