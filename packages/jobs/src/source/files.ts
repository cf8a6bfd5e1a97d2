import { createHash } from 'node:crypto';
import { isUtf8 } from 'node:buffer';
import { readFile, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import { BerthaError, type JsonObject } from 'bertha-encoder';
import { glob, isDynamicPattern } from 'tinyglobby';
import { errorMessage } from '../shared/failures.js';
import { csvRanges, readCsv, type CsvRange } from './csv.js';
import { readHtml } from './html.js';
import { readJsonLines } from './json-lines.js';
import { readParquet, rowGroups } from './parquet.js';
import type { FieldNames } from './records.js';
import type { Source, SourceItem, Unit } from './source.js';

/** What makes a source of files again: the paths and patterns as they were given. */
export interface FilesDefinition extends FieldNames {
  readonly paths: readonly string[];
}

type Kind = 'text' | 'html' | 'jsonl' | 'csv' | 'parquet';
const kinds: readonly (readonly [RegExp, Kind])[] = [
  [/\.(?:jsonl|ndjson)$/i, 'jsonl'],
  [/\.(?:csv|tsv)$/i, 'csv'],
  [/\.parquet$/i, 'parquet'],
  [/\.(?:html?|xhtml)$/i, 'html'],
];
/** What of a folder is read. */
const kInFolders = '**/*.{md,markdown,mdx,txt,text,rst,adoc,html,htm,xhtml,jsonl,ndjson,csv,tsv,parquet}';
/** A unit's bytes: 1 to 5 seconds of work of a processor. */
const kUnitBytes = 1 << 18;

interface FileEntry {
  readonly path: string;
  readonly kind: Kind;
  readonly size: number;
  readonly version: string;
}

/**
 * Files, folders and patterns as a source. Errors: USAGE where a path or a pattern has no file, IO.
 */
export async function openFiles(definition: FilesDefinition): Promise<Source> {
  const files = await listFiles(definition.paths);
  return new FilesSource(definition, files);
}

/** The same without looking for files: for reading units that another process made. */
export function filesOf(definition: FilesDefinition): Source {
  return new FilesSource(definition, []);
}

class FilesSource implements Source {
  readonly definition: JsonObject;
  readonly version: string;
  readonly total: number;
  readonly #files: readonly FileEntry[];
  readonly #names: FieldNames;
  /** Parts of files, which are looked for once. */
  readonly #ranges = new Map<string, readonly FileRange[]>();

  constructor({ paths, idField, textField }: FilesDefinition, files: readonly FileEntry[]) {
    this.#names = { idField, textField };
    this.definition = {
      kind: 'files',
      paths: [...paths],
      ...(idField === undefined ? {} : { idField }),
      ...(textField === undefined ? {} : { textField }),
    };
    this.version = hashOf(files.map(({ path, version }) => [path, version]));
    this.total = files.reduce((sum, { size }) => sum + size, 0);
    this.#files = files;
  }

  async *units({ signal }: { signal?: AbortSignal | undefined } = {}): AsyncGenerator<Unit> {
    let ordinal = 0;
    const unitOf = (reference: JsonObject, version: string, size: number): Unit => ({
      id: hashOf([this.definition, reference, version]),
      ordinal: ordinal++,
      reference,
      version,
      size,
    });
    let open: FileEntry[] = [];
    const together = (): Unit => {
      const unit = unitOf({ files: open.map(({ path }) => path) }, open.map(({ version }) => version).join(' '), sizeOf(open));
      open = [];
      return unit;
    };
    for (const file of this.#files) {
      signal?.throwIfAborted();
      if (file.kind === 'text' || file.kind === 'html') {
        open.push(file);
        if (sizeOf(open) >= kUnitBytes) yield together();
        continue;
      }
      if (open.length > 0) yield together();
      if (!this.#ranges.has(file.path)) this.#ranges.set(file.path, await rangesOf(file));
      for (const { size, ...range } of this.#ranges.get(file.path)!)
        yield unitOf({ kind: file.kind, path: file.path, ...range }, file.version, size);
    }
    if (open.length > 0) yield together();
  }

  async *read({ reference, version }: Unit, signal?: AbortSignal): AsyncGenerator<SourceItem> {
    const {
      files,
      kind,
      path,
      from,
      to,
      records = 0,
    } = reference as {
      readonly files?: readonly string[];
      readonly kind: Kind;
      readonly path: string;
      readonly from: number;
      readonly to: number;
      readonly records?: number;
    };
    if (files !== undefined) {
      for (const file of files) {
        signal?.throwIfAborted();
        yield await readText(file);
      }
      return;
    }
    const now = String((await entryOf(path)).size);
    if (now !== version.split('@')[0])
      throw new BerthaError(
        'DATASET',
        `Expected ${path} to have ${version.split('@')[0]} bytes, as when the run began, but it has ${now}. Run again.`,
      );
    try {
      if (kind === 'jsonl') yield* readJsonLines(path, from, to, this.#names);
      else if (kind === 'csv') yield* readCsv(path, { from, to, records }, this.#names);
      else yield* readParquet(path, from, to, this.#names);
    } catch (cause) {
      throw cause instanceof BerthaError ? cause : ioFailure(path, cause);
    }
  }

  async close(): Promise<void> {
    // Files are opened for each unit.
  }
}

/** A part of a file of records: bytes or rows. */
interface FileRange extends Omit<CsvRange, 'records'> {
  readonly records?: number;
  /** Of its file, in bytes. */
  readonly size: number;
}

/** The parts of a file of records: ranges of bytes, of CSV between two records, or row groups. */
async function rangesOf({ path, kind, size }: FileEntry): Promise<readonly FileRange[]> {
  const ranges: FileRange[] = [];
  if (kind === 'csv') for await (const range of csvRanges(path, kUnitBytes)) ranges.push({ ...range, size: range.to - range.from });
  else if (kind === 'jsonl') {
    for (let from = 0; from < size; from += kUnitBytes) {
      const to = Math.min(size, from + kUnitBytes);
      ranges.push({ from, to, size: to - from });
    }
  } else {
    const ends = await rowGroups(path);
    for (let i = 1; i < ends.length; i++) ranges.push({ from: ends[i - 1]!, to: ends[i]!, size: size / (ends.length - 1) });
  }
  return ranges;
}

async function readText(path: string): Promise<SourceItem> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (error) {
    return { bad: { place: path, problem: errorMessage(error) } };
  }
  if (!isUtf8(bytes)) return { bad: { place: path, problem: 'it is not UTF-8' } };
  const text = bytes.toString('utf8').replace(/^\ufeff/, '');
  if (kindOf(path) !== 'html') return { document: { id: path, text, metadata: { path } } };
  const page = readHtml(text);
  return { document: { id: path, text: page.text, metadata: { path, ...(page.title === '' ? {} : { title: page.title }) } } };
}

async function listFiles(paths: readonly string[]): Promise<FileEntry[]> {
  const found = new Set<string>();
  for (const path of paths) {
    const isPattern = isDynamicPattern(path) && !(await exists(path));
    const isFolder = !isPattern && (await statOf(path)).isDirectory();
    const all = isPattern ? await glob(path, { absolute: isAbsolute(path) }) : isFolder ? await glob(kInFolders, { cwd: path }) : [path];
    const inFolder = isFolder ? `${path.replace(/[\\/]+$/, '')}/` : '';
    if (all.length === 0) throw new BerthaError('USAGE', `Expected files for ${JSON.stringify(path)} but received none. ${kPatternHint}`);
    for (const file of all) found.add((inFolder + file).replaceAll('\\', '/').replace(/^(?:\.\/)+/, ''));
  }
  return Promise.all([...found].sort().map(entryOf));
}

const kPatternHint = 'Put patterns in quotes, so that the shell leaves them alone; ** stands for any folders.';

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

async function statOf(path: string): ReturnType<typeof stat> {
  try {
    return await stat(path);
  } catch (cause) {
    throw ioFailure(path, cause);
  }
}

async function entryOf(path: string): Promise<FileEntry> {
  const { size, mtimeMs } = await statOf(path);
  return { path, kind: kindOf(path), size: Number(size), version: `${size}@${Math.round(Number(mtimeMs))}` };
}

function kindOf(path: string): Kind {
  return kinds.find(([pattern]) => pattern.test(path))?.[1] ?? 'text';
}

function sizeOf(files: readonly FileEntry[]): number {
  return files.reduce((sum, { size }) => sum + size, 0);
}

function hashOf(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 32);
}

function ioFailure(path: string, cause: unknown): BerthaError {
  return new BerthaError('IO', `Expected to read ${path} but received ${errorMessage(cause)}.`, { cause });
}
