import { fstatSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { BerthaError } from '../errors.js';
import { unexpected } from '../expected.js';
import { errorMessage } from '../realms.js';
import { FieldReader } from './readers/fields.js';
import { inputFormats, type InputFormat } from './readers/formats.js';
import type { Item } from './readers/item.js';
import { readJsonLines } from './readers/json-lines.js';
import { readLines } from '../text-files/lines.js';

/** The flags that say where texts come from, as commander hands them over. */
export interface InputFlags {
  readonly file?: readonly string[];
  readonly inputFormat?: InputFormat;
  readonly field?: string;
  readonly pairField?: string;
}

/** The texts of a command, in blocks. */
export interface TextSource {
  readonly blocks: AsyncIterable<readonly Item[]>;
  /** How much all texts are, if that is known before they are read: a number of texts, or of bytes for files. */
  readonly total?: number;
  /** Length of the longest text in UTF-16 units, if that is known before they are read. */
  readonly longest?: number;
  /** How much of `total` a block is. */
  measure(block: readonly Item[]): number;
}

/** What a command wants of its input. */
export interface InputWishes {
  /** Two texts in each item: fields of a record, or lines with a tab between the two. */
  readonly pairs?: boolean;
}

/** Most texts in a block, and most UTF-16 units (one text may be longer). */
const kBlockTexts = 1024;
const kBlockLength = 1 << 20;

/**
 * The texts to work on: the arguments themselves, or what `file` names, or standard input (`-`, or where something is piped in and
 * nothing else is given). Files are read as they arrive. Their format follows from `inputFormat`, else from their names; a guess is said
 * once on standard error.
 *
 * Errors: USAGE when nothing or two of these are given; IO, USAGE (a line that cannot be read) and INPUT_TOO_LARGE while reading.
 */
export async function openTexts(texts: readonly string[], flags: InputFlags, wishes: InputWishes = {}): Promise<TextSource> {
  const files = flags.file ?? [];
  const isDash = texts.length === 1 && texts[0] === '-';
  if (texts.length > 0 && files.length > 0) throw unexpected('USAGE', 'either texts or --file', 'both');
  if (texts.length > 0 && !isDash) return argumentSource(texts, wishes);
  if (files.length > 0) return fileSource(files, flags, wishes);
  const isImplied = !isDash;
  if (isImplied && !isPiped()) throw unexpected('USAGE', 'texts, --file, or texts on standard input', 'none');
  const blocks = read(process.stdin, 'standard input', flags, wishes, tellOnce());
  return { blocks: isImplied ? notEmpty(blocks) : blocks, measure };
}

/** Every text of a command in one list: for what compares them with each other. */
export async function readAll(source: TextSource): Promise<Item[]> {
  const all: Item[] = [];
  for await (const block of source.blocks) for (const item of block) all.push(item);
  return all;
}

function argumentSource(texts: readonly string[], { pairs }: InputWishes): TextSource {
  const items = pairs === true ? texts.map((text) => splitPair({ text })) : texts.map((text): Item => ({ text }));
  const blocks = async function* () {
    yield* split(items);
  };
  const longest = items.reduce((most, { text }) => Math.max(most, text.length), 0);
  return { blocks: blocks(), total: items.length, longest, measure: (block) => block.length };
}

async function fileSource(files: readonly string[], flags: InputFlags, wishes: InputWishes): Promise<TextSource> {
  const opened: OpenFile[] = [];
  const close = async (): Promise<void> => {
    for (const { handle } of opened) await handle?.close();
  };
  try {
    for (const name of files) opened.push(await openFile(name));
  } catch (error) {
    await close();
    throw error;
  }
  const tell = tellOnce();
  const blocks = async function* () {
    try {
      for (const { name, handle } of opened) yield* read(handle?.createReadStream() ?? process.stdin, name, flags, wishes, tell);
    } finally {
      await close();
    }
  };
  const total = opened.reduce((sum, { bytes }) => sum + bytes, 0);
  return { blocks: blocks(), ...(Number.isNaN(total) ? {} : { total }), measure };
}

interface OpenFile {
  readonly name: string;
  /** Not for standard input. */
  readonly handle?: FileHandle;
  /** NaN where it is not known, as of a pipe. */
  readonly bytes: number;
}

async function openFile(name: string): Promise<OpenFile> {
  if (name === '-') return { name: 'standard input', bytes: Number.NaN };
  try {
    const handle = await open(name);
    const stats = await handle.stat();
    return { name, handle, bytes: stats.isFile() ? stats.size : Number.NaN };
  } catch (error) {
    throw readError(name, error);
  }
}

/** What is read of a file, as a share of its bytes. */
function measure(block: readonly Item[]): number {
  return block.reduce((bytes, { text, pair = '', fields }) => {
    const others = fields === undefined ? 0 : JSON.stringify(fields).length;
    return bytes + Buffer.byteLength(text) + Buffer.byteLength(pair) + others + 1;
  }, 0);
}

async function* read(
  stream: AsyncIterable<Uint8Array>,
  name: string,
  flags: InputFlags,
  wishes: InputWishes,
  tell: (message: string) => void,
): AsyncGenerator<readonly Item[]> {
  const format = flags.inputFormat ?? formatOf(name);
  if (format !== 'text' && flags.inputFormat === undefined) tell(`reading ${name} as ${format} (--input-format chooses another)`);
  const chunks = guarded(stream, name);
  const fields = new FieldReader({ text: flags.field, pair: flags.pairField, wantsPair: wishes.pairs }, tell);
  const blocks = await openFormat(format, chunks, name, flags, wishes, fields);
  for await (const block of blocks) yield* split(block);
}

async function openFormat(
  format: InputFormat,
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  flags: InputFlags,
  wishes: InputWishes,
  fields: FieldReader,
): Promise<AsyncIterable<readonly Item[]>> {
  if (format === 'text') return textItems(chunks, name, flags, wishes);
  if (format === 'jsonl') return readJsonLines(chunks, name, fields);
  const { readCsv } = await import('./readers/csv.js');
  return readCsv(chunks, name, format === 'csv' ? ',' : '\t', fields);
}

async function* textItems(
  chunks: AsyncIterable<Uint8Array>,
  name: string,
  { field, pairField }: InputFlags,
  { pairs }: InputWishes,
): AsyncGenerator<readonly Item[]> {
  if (field !== undefined || pairField !== undefined) {
    const flag = field === undefined ? '--pair-field' : '--field';
    throw unexpected('USAGE', `--input-format jsonl, csv or tsv for ${flag}`, `lines of text in ${name}`);
  }
  for await (const lines of readLines(chunks, name)) {
    const items = lines.map(({ text, number }): Item => ({ text, place: `line ${number} of ${name}` }));
    yield pairs === true ? items.map(splitPair) : items;
  }
}

/** The two texts of a line with one tab. */
function splitPair(item: Item): Item {
  const [text, pair, ...rest] = item.text.split('\t');
  if (pair !== undefined && rest.length === 0) return { ...item, text: text!, pair };
  const where = item.place === undefined ? '' : ` in ${item.place}`;
  throw unexpected('USAGE', `two texts with one tab between them${where}`, JSON.stringify(item.text.slice(0, 60)));
}

function formatOf(name: string): InputFormat {
  const [, extension = ''] = /\.(\w+)$/.exec(name.toLowerCase()) ?? [];
  if (extension === 'ndjson') return 'jsonl';
  return inputFormats.find((format) => format === extension) ?? 'text';
}

/** Whether something is piped or redirected into standard input: a pipe, a socket, or a file. */
function isPiped(): boolean {
  try {
    const stats = fstatSync(0);
    return stats.isFIFO() || stats.isFile() || stats.isSocket();
  } catch {
    return false; // standard input is closed
  }
}

async function* notEmpty(blocks: AsyncIterable<readonly Item[]>): AsyncGenerator<readonly Item[]> {
  let isEmpty = true;
  for await (const block of blocks) {
    isEmpty = false;
    yield block;
  }
  if (isEmpty) throw unexpected('USAGE', 'texts, --file, or texts on standard input', 'none');
}

async function* guarded(stream: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  try {
    yield* stream;
  } catch (error) {
    throw readError(name, error);
  }
}

function readError(name: string, error: unknown): BerthaError {
  return unexpected('IO', `to read ${name}`, errorMessage(error), { cause: error });
}

/** Says on standard error what was guessed, each thing once. */
function tellOnce(): (message: string) => void {
  const told = new Set<string>();
  return (message) => {
    if (told.has(message)) return;
    told.add(message);
    process.stderr.write(`bertha: ${message}\n`);
  };
}

function* split(items: readonly Item[]): Generator<readonly Item[]> {
  let start = 0;
  let length = 0;
  for (let i = 0; i < items.length; i++) {
    length += items[i]!.text.length + (items[i]!.pair?.length ?? 0);
    if (i + 1 - start < kBlockTexts && length < kBlockLength) continue;
    yield items.slice(start, i + 1);
    start = i + 1;
    length = 0;
  }
  if (start < items.length) yield items.slice(start);
}
