import { isUtf8 } from 'node:buffer';
import { createReadStream } from 'node:fs';
import { BerthaError } from 'bertha-encoder';
import { errorMessage } from '../shared/failures.js';
import { documentOf, type FieldNames } from './records.js';
import type { SourceItem } from './source.js';

const kLongestLine = 1 << 27;
const kLineEnd = 10;

/** The documents of lines that begin in bytes from..to of a file. A line is named by the byte that it begins at. */
export async function* readJsonLines(path: string, from: number, to: number, names: FieldNames): AsyncGenerator<SourceItem> {
  for await (const { at, bytes } of linesOf(path, from, to)) {
    const place = `byte ${at} of ${path}`;
    if (!isUtf8(bytes)) yield { bad: { place, problem: 'it is not UTF-8' } };
    else {
      const line = bytes.toString('utf8').trim();
      if (line !== '') yield parse(at === 0 ? line.replace(/^\ufeff/, '') : line, place, names);
    }
  }
}

function parse(line: string, place: string, names: FieldNames): SourceItem {
  try {
    const value = JSON.parse(line) as unknown;
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return documentOf(value as Record<string, unknown>, place, names);
    return { bad: { place, problem: `expected a JSON object but received ${line.slice(0, 60)}` } };
  } catch (error) {
    return { bad: { place, problem: errorMessage(error) } };
  }
}

interface Line {
  readonly at: number;
  readonly bytes: Buffer;
}

/** Lines that begin in from..to: the one that begins before `from` belongs to the range before, the last one is read to its end. */
async function* linesOf(path: string, from: number, to: number): AsyncGenerator<Line> {
  let at = Math.max(0, from - 1);
  let isSkipping = from > 0;
  let open: Buffer[] = [];
  let openBytes = 0;
  for await (const chunk of createReadStream(path, { start: at }) as AsyncIterable<Buffer>) {
    let begin = 0;
    for (let end = chunk.indexOf(kLineEnd); end >= 0; end = chunk.indexOf(kLineEnd, begin)) {
      const bytes = openBytes === 0 ? chunk.subarray(begin, end) : Buffer.concat([...open, chunk.subarray(begin, end)]);
      if (!isSkipping) yield { at, bytes };
      isSkipping = false;
      at += bytes.length + 1;
      [open, openBytes, begin] = [[], 0, end + 1];
      if (at >= to) return;
    }
    if (begin < chunk.length) open.push(chunk.subarray(begin));
    openBytes += chunk.length - begin;
    if (openBytes > kLongestLine)
      throw new BerthaError('INPUT_TOO_LARGE', `Expected lines of at most ${kLongestLine} bytes in ${path} but received a longer one.`);
  }
  if (openBytes > 0 && !isSkipping) yield { at, bytes: Buffer.concat(open) };
}
