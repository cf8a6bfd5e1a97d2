import type { BerthaError } from '../errors.js';
import { unexpected } from '../expected.js';

/** Longest line: the tokenizer takes no longer text. */
export const kLongestLine = 1 << 25;

/** A line and its number, counted from 1. */
export interface Line {
  readonly text: string;
  readonly number: number;
}

/**
 * Cuts a stream of bytes into lines; a block holds the lines that one chunk has completed. Lines end with \n or \r\n and are decoded as
 * UTF-8, where invalid bytes become U+FFFD; a byte order mark at the start is dropped.
 *
 * Errors: INPUT_TOO_LARGE.
 */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<readonly Line[]> {
  let number = 0;
  let open = '';
  const numbered = (texts: readonly string[]): Line[] => texts.map((text) => ({ text: withoutReturn(text), number: ++number }));
  for await (const text of decode(chunks)) {
    const lines = text.split('\n');
    lines[0] = open + lines[0]!;
    open = lines.pop()!;
    if (open.length > kLongestLine) throw tooLong(name);
    if (lines.length > 0) yield numbered(lines);
  }
  if (open !== '') yield numbered([open]);
}

/** The text of a stream of bytes, in pieces. */
export async function* decode(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<string> {
  const decoder = new TextDecoder();
  for await (const chunk of chunks) yield decoder.decode(chunk, { stream: true });
  yield decoder.decode();
}

/** The error for a line, or a record of CSV, that no tokenizer would take. */
export function tooLong(name: string): BerthaError {
  return unexpected('INPUT_TOO_LARGE', `lines of at most ${kLongestLine} characters in ${name}`, 'a longer one');
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}
