/** How files are read: one text a line, or records with fields. */
export const inputFormats = ['text', 'jsonl', 'csv', 'tsv'] as const;

/** One of them. */
export type InputFormat = (typeof inputFormats)[number];
