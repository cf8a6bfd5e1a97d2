import type { FileHandle } from 'node:fs/promises';
import type { BerthaError } from '../../errors.js';
import { unexpected } from '../../expected.js';
import { quote } from '../describe.js';
import { readFully } from '../files.js';
import type { OpenedFile } from '../weights/tensor-file.js';

/** Where a file inside an archive lies: from the start of the archive, as it is. */
export interface ZipEntry {
  readonly byteOffset: number;
  readonly byteLength: number;
}

/** The bytes that a zip archive begins with. */
export const ZIP_SIGNATURE = 0x04034b50;

const kEndSignature = 0x06054b50;
const kEndBytes = 22;
const kLongestComment = 0xffff;
const kLocatorSignature = 0x07064b50;
const kLocatorBytes = 20;
const kEnd64Signature = 0x06064b50;
const kEnd64Bytes = 56;
const kEntrySignature = 0x02014b50;
const kEntryBytes = 46;
const kLocalBytes = 30;
/** The id of the field that holds numbers of 64 bits, and what stands in their place. */
const kZip64Field = 1;
const kIn64Bits = 0xffffffff;
const kEncrypted = 0x2041;

const kMaxEntries = 1 << 17;
const kMaxDirectoryBytes = 32 << 20;
const kMaxNameBytes = 1024;

interface Directory {
  readonly begin: number;
  readonly bytes: number;
  readonly count: number;
}

interface ListedEntry {
  readonly name: string;
  readonly begin: number;
  readonly bytes: number;
}

/**
 * The files of a zip archive by name, from its directory, each checked against what stands before its bytes. Only archives are taken in which every
 * file is stored as it is, once, and none overlaps another: then no byte says two things.
 *
 * Errors: UNSAFE_FORMAT (compressed or encrypted), WEIGHTS (cut off, overlapping, or no archive), IO.
 */
export async function readZip({ handle, size, path }: OpenedFile): Promise<ReadonlyMap<string, ZipEntry>> {
  const directory = await findDirectory(handle, size, path);
  const bytes = Buffer.alloc(directory.bytes);
  await readFully(handle, bytes, directory.begin, path);
  const listed = parseDirectory(bytes, directory).sort((a, b) => a.begin - b.begin);
  const entries = new Map<string, ZipEntry>();
  let covered = 0;
  for (const entry of listed) {
    if (entries.has(entry.name)) throw damaged(`${quote(entry.name)} once in the archive`, 'it twice');
    if (entry.begin < covered) throw damaged(`${quote(entry.name)} behind the file before it`, 'files that overlap');
    const byteOffset = await findBytes(handle, entry, directory.begin, path);
    covered = byteOffset + entry.bytes;
    if (covered > directory.begin) throw damaged(`${quote(entry.name)} to end before the directory of the archive`, 'one that does not');
    entries.set(entry.name, { byteOffset, byteLength: entry.bytes });
  }
  return entries;
}

async function findDirectory(handle: FileHandle, size: number, path: string): Promise<Directory> {
  const tail = Buffer.alloc(Math.min(size, kEndBytes + kLongestComment));
  const from = size - tail.length;
  await readFully(handle, tail, from, path);
  let at = tail.length - kEndBytes;
  while (at >= 0 && !(tail.readUInt32LE(at) === kEndSignature && at + kEndBytes + tail.readUInt16LE(at + 20) === tail.length)) at--;
  if (at < 0) throw damaged('the directory of a zip archive at the end of the file', 'none: the file is cut off');
  let directory = { count: tail.readUInt16LE(at + 10), bytes: tail.readUInt32LE(at + 12), begin: tail.readUInt32LE(at + 16) };
  const end = from + at;
  if (end >= kLocatorBytes) {
    const locator = Buffer.alloc(kLocatorBytes);
    await readFully(handle, locator, end - kLocatorBytes, path);
    if (locator.readUInt32LE(0) === kLocatorSignature) directory = await readEnd64(handle, size, number64(locator, 8), path);
  }
  const { count, bytes, begin } = directory;
  if (begin + bytes > end || count > kMaxEntries || bytes > kMaxDirectoryBytes || count * kEntryBytes > bytes) {
    throw damaged(`a directory of at most ${kMaxEntries} files inside the archive`, `${count} files, ${bytes} bytes at ${begin}`);
  }
  return directory;
}

async function readEnd64(handle: FileHandle, size: number, at: number, path: string): Promise<Directory> {
  const end = Buffer.alloc(kEnd64Bytes);
  if (at + kEnd64Bytes > size) throw damaged('the long end of the directory inside the archive', `byte ${at}`);
  await readFully(handle, end, at, path);
  if (end.readUInt32LE(0) !== kEnd64Signature) throw damaged(`the long end of the directory at byte ${at}`, 'something else');
  return { count: number64(end, 32), bytes: number64(end, 40), begin: number64(end, 48) };
}

function parseDirectory(bytes: Buffer, { count }: Directory): ListedEntry[] {
  const listed: ListedEntry[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + kEntryBytes > bytes.length || bytes.readUInt32LE(at) !== kEntrySignature) {
      throw damaged(`${count} entries in the directory of the archive`, `${i}`);
    }
    const [nameBytes, extraBytes, commentBytes] = [28, 30, 32].map((field) => bytes.readUInt16LE(at + field)) as [number, number, number];
    const next = at + kEntryBytes + nameBytes + extraBytes + commentBytes;
    if (next > bytes.length || nameBytes > kMaxNameBytes) throw damaged('names inside the directory of the archive', 'a longer one');
    const name = bytes.toString('utf8', at + kEntryBytes, at + kEntryBytes + nameBytes);
    const extra = bytes.subarray(at + kEntryBytes + nameBytes, next - commentBytes);
    listed.push(parseEntry(bytes.subarray(at, at + kEntryBytes), name, extra));
    at = next;
  }
  return listed;
}

function parseEntry(fields: Buffer, name: string, extra: Buffer): ListedEntry {
  if ((fields.readUInt16LE(8) & kEncrypted) !== 0) throw refused(name, 'an encrypted one');
  if (fields.readUInt16LE(10) !== 0) throw refused(name, `one packed by method ${fields.readUInt16LE(10)}`);
  const long = longNumbers(extra);
  const number = (field: number): number => {
    const short = fields.readUInt32LE(field);
    if (short !== kIn64Bits) return short;
    const next = long.shift();
    if (next === undefined) throw damaged(`the size and place of ${quote(name)} in the archive`, 'none');
    return next;
  };
  // In the order in which the long ones stand.
  const [bytes, packed, begin] = [number(24), number(20), number(42)];
  if (packed !== bytes) throw damaged(`one size for ${quote(name)}, which is stored as it is`, `${bytes} and ${packed}`);
  return { name, begin, bytes };
}

/** The numbers of 64 bits in the additional fields of an entry. */
function longNumbers(extra: Buffer): number[] {
  let at = 0;
  while (at + 4 <= extra.length) {
    const end = at + 4 + extra.readUInt16LE(at + 2);
    if (extra.readUInt16LE(at) === kZip64Field && end <= extra.length) {
      const numbers: number[] = [];
      for (let i = at + 4; i + 8 <= end; i += 8) numbers.push(number64(extra, i));
      return numbers;
    }
    at = end;
  }
  return [];
}

/** Where the bytes of an entry begin: behind a copy of its name, which must be the same. */
async function findBytes(handle: FileHandle, { name, begin }: ListedEntry, end: number, path: string): Promise<number> {
  const expected = Buffer.from(name, 'utf8');
  const head = Buffer.alloc(kLocalBytes + expected.length);
  if (begin + head.length > end) throw damaged(`${quote(name)} before the directory of the archive`, `byte ${begin}`);
  await readFully(handle, head, begin, path);
  const isSame =
    head.readUInt32LE(0) === ZIP_SIGNATURE &&
    head.readUInt16LE(8) === 0 &&
    head.readUInt16LE(26) === expected.length &&
    head.subarray(kLocalBytes).equals(expected);
  if (!isSame) throw damaged(`${quote(name)} at byte ${begin}, as the directory of the archive says`, 'something else');
  return begin + head.length + head.readUInt16LE(28);
}

/** Sizes above 2^53 become what no file reaches. */
function number64(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}

function refused(name: string, got: string): BerthaError {
  return unexpected('UNSAFE_FORMAT', `files stored as they are in the archive of torch.save, ${quote(name)} too,`, got);
}

function damaged(expected: string, got: string): BerthaError {
  return unexpected('WEIGHTS', expected, got);
}
