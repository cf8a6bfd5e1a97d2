import { open } from 'node:fs/promises';
import { BerthaError } from '../errors.js';
import { errorMessage } from '../realms.js';

/** The texts of a command, in blocks. */
export interface TextSource {
  readonly blocks: AsyncIterable<readonly string[]>;
  /** How much all texts are, if that is known before they are read: a number of texts, or of bytes for a file. */
  readonly total?: number;
  /** Length of the longest text in UTF-16 units, if that is known before they are read. */
  readonly longest?: number;
  /** How much of `total` a block is. */
  measure(block: readonly string[]): number;
}

/** Most texts in a block, and most UTF-16 units (one text may be longer). */
const kBlockTexts = 1024;
const kBlockLength = 1 << 20;
/** Longest line: the tokenizer takes no longer text. */
const kLongestLine = 1 << 25;

/**
 * The texts to work on: the arguments themselves, or the lines of `file` or of standard input (`-`). Lines end with \n or \r\n, are read
 * as they arrive, and are decoded as UTF-8, where invalid bytes become U+FFFD; a byte order mark at the start is dropped.
 *
 * Errors: USAGE when none or two of these are given; IO and INPUT_TOO_LARGE while reading.
 */
export async function openTexts(texts: readonly string[], file: string | undefined): Promise<TextSource> {
  if (texts.length > 0 && file !== undefined) throw new BerthaError('USAGE', 'Expected either texts or --file but received both.');
  if (texts.length === 0 && file === undefined) throw new BerthaError('USAGE', 'Expected texts, - or --file but received none.');
  const isStandardInput = file === '-' || (texts.length === 1 && texts[0] === '-');
  if (isStandardInput) return lineSource(process.stdin, 'standard input');
  if (file !== undefined) return fileSource(file);
  const blocks = async function* () {
    yield* split(texts);
  };
  const longest = texts.reduce((most, { length }) => Math.max(most, length), 0);
  return { blocks: blocks(), total: texts.length, longest, measure: (block) => block.length };
}

async function fileSource(file: string): Promise<TextSource> {
  try {
    const handle = await open(file);
    const stats = await handle.stat();
    return lineSource(handle.createReadStream(), file, stats.isFile() ? stats.size : undefined);
  } catch (error) {
    throw readError(file, error);
  }
}

function lineSource(stream: AsyncIterable<Uint8Array>, name: string, total?: number): TextSource {
  const chunks = async function* () {
    try {
      yield* stream;
    } catch (error) {
      throw readError(name, error);
    }
  };
  const measure = (block: readonly string[]) => block.reduce((bytes, line) => bytes + Buffer.byteLength(line) + 1, 0);
  return { blocks: readLines(chunks(), name), ...(total === undefined ? {} : { total }), measure };
}

function readError(name: string, error: unknown): BerthaError {
  return new BerthaError('IO', `Expected to read ${name} but received ${errorMessage(error)}.`, {
    cause: error,
  });
}

/** Cuts a stream of bytes into lines; a block holds the lines that one chunk has completed. */
export async function* readLines(chunks: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<readonly string[]> {
  const decoder = new TextDecoder();
  let open = '';
  for await (const chunk of chunks) {
    const lines = decoder.decode(chunk, { stream: true }).split('\n');
    lines[0] = open + lines[0]!;
    open = lines.pop()!;
    if (open.length > kLongestLine) {
      throw new BerthaError(
        'INPUT_TOO_LARGE',
        `Expected lines of at most ${kLongestLine} characters in ${name} but received a longer one.`,
      );
    }
    yield* split(lines.map(withoutReturn));
  }
  open += decoder.decode();
  if (open !== '') yield [withoutReturn(open)];
}

function withoutReturn(line: string): string {
  return line.endsWith('\r') ? line.slice(0, -1) : line;
}

function* split(texts: readonly string[]): Generator<readonly string[]> {
  let start = 0;
  let length = 0;
  for (let i = 0; i < texts.length; i++) {
    length += texts[i]!.length;
    if (i + 1 - start < kBlockTexts && length < kBlockLength) continue;
    yield texts.slice(start, i + 1);
    start = i + 1;
    length = 0;
  }
  if (start < texts.length) yield texts.slice(start);
}
