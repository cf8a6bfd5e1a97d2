import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import type { Embedding } from 'bertha-encoder';
import { formatVectors } from 'bertha-encoder';
import { asBuffer } from './vectors.js';

/** A line of a stream: a text, or why it is none. */
type Line = { readonly text: string; readonly id?: unknown } | { readonly error: string };

/** Longest line in UTF-16 units. */
const kMostUnits = 1 << 22;

/** Reads a line: a JSON string, or an object with `text` and perhaps `id`. */
function readLine(line: string): Line {
  if (line.length > kMostUnits) return { error: `Expected a line of at most ${kMostUnits} characters.` };
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch {
    return { error: 'Expected a line of JSON.' };
  }
  if (typeof value === 'string') return value === '' ? { error: 'Expected a text but it is empty.' } : { text: value };
  const { text, id } = (typeof value === 'object' && value !== null ? value : {}) as { text?: unknown; id?: unknown };
  if (typeof text !== 'string' || text === '') return { error: 'Expected a text, or an object with text.' };
  return id === undefined ? { text } : { text, id };
}

/** Turns texts into embeddings as they come, in order: `Embedder.embedMany`. */
type EmbedMany = (texts: AsyncIterable<string>) => AsyncIterable<Embedding>;

/**
 * Answers a stream of lines with a line each, in order, with constant memory: `{"index", "id"?, "tokens", "truncated", "embedding"}`, or `{"index",
 * "error"}` for a line that is no text, which stops nothing. Blank lines count as none.
 */
export async function* embedLines(source: Readable, embedMany: EmbedMany): AsyncGenerator<Buffer, void> {
  /** Lines that were read and are not answered. */
  const read: Line[] = [];
  let index = 0;
  async function* texts(): AsyncGenerator<string> {
    for await (const line of createInterface({ input: source, crlfDelay: Infinity })) {
      if (line.trim() === '') continue;
      const found = readLine(line);
      read.push(found);
      if ('text' in found) yield found.text;
    }
  }
  function* refused(): Generator<Buffer> {
    for (let line = read[0]; line !== undefined && 'error' in line; line = read[0]) {
      read.shift();
      yield Buffer.from(`${JSON.stringify({ index: index++, error: line.error })}\n`);
    }
  }
  for await (const { vector, tokens, truncated } of embedMany(texts())) {
    yield* refused();
    const { id } = read.shift() as { readonly id?: unknown };
    const head = JSON.stringify({ index: index++, ...(id === undefined ? {} : { id }), tokens, truncated });
    yield Buffer.concat([Buffer.from(`${head.slice(0, -1)},"embedding":`), asBuffer(formatVectors(vector)), Buffer.from('}\n')]);
  }
  yield* refused();
}
