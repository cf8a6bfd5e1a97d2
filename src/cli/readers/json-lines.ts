import { unexpected } from '../../expected.js';
import { errorMessage } from '../../realms.js';
import type { FieldReader } from './fields.js';
import type { Item } from './item.js';
import { readLines } from '../../text-files/lines.js';

/** Items of a file with one JSON object, or one JSON string, a line. Blank lines are passed over. Errors: USAGE names the line. */
export async function* readJsonLines(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  fields: FieldReader,
): AsyncGenerator<readonly Item[]> {
  for await (const lines of readLines(chunks, name)) {
    yield lines.filter(({ text }) => text.trim() !== '').map(({ text, number }) => parse(text, `line ${number} of ${name}`, fields));
  }
}

function parse(line: string, place: string, fields: FieldReader): Item {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (error) {
    throw unexpected('USAGE', `JSON in ${place}`, `${JSON.stringify(line.slice(0, 60))}: ${errorMessage(error)}`);
  }
  if (typeof value === 'string') return { text: value, place };
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return fields.read(value as Record<string, unknown>, place);
  throw unexpected('USAGE', `a JSON object or string in ${place}`, JSON.stringify(line.slice(0, 60)));
}
