// The files of a zip archive: stored or deflated, below 4 GiB, as PKWARE's APPNOTE.TXT has them.
import { readFileSync } from 'node:fs';
import { inflateRawSync } from 'node:zlib';

const kEndOfDirectory = 0x06054b50;
const kDirectoryEntry = 0x02014b50;
const kEndBytes = 22;

/** The texts of the files of an archive whose names fit `pattern`, by name, in the order of the names. */
export function readZipTexts(path: string, pattern: RegExp, encoding: 'utf8' | 'latin1' = 'utf8'): Map<string, string> {
  const archive = readFileSync(path);
  let end = archive.length - kEndBytes;
  while (end >= 0 && archive.readUInt32LE(end) !== kEndOfDirectory) end--;
  if (end < 0) throw new Error(`Expected a zip archive in ${path} but received a file without its directory.`);
  const found = new Map<string, Buffer>();
  let at = archive.readUInt32LE(end + 16);
  for (let left = archive.readUInt16LE(end + 10); left > 0; left--) {
    if (archive.readUInt32LE(at) !== kDirectoryEntry) throw new Error(`Expected an entry of the directory of ${path} at byte ${at}.`);
    const nameEnd = at + 46 + archive.readUInt16LE(at + 28);
    const name = archive.toString('utf8', at + 46, nameEnd);
    if (pattern.test(name)) found.set(name, contents(archive, at));
    at = nameEnd + archive.readUInt16LE(at + 30) + archive.readUInt16LE(at + 32);
  }
  const names = [...found.keys()].sort();
  return new Map(names.map((name) => [name, found.get(name)!.toString(encoding)]));
}

function contents(archive: Buffer, entry: number): Buffer {
  const [method, size, header] = [archive.readUInt16LE(entry + 10), archive.readUInt32LE(entry + 20), archive.readUInt32LE(entry + 42)];
  const begin = header + 30 + archive.readUInt16LE(header + 26) + archive.readUInt16LE(header + 28);
  const bytes = archive.subarray(begin, begin + size);
  if (method !== 0 && method !== 8) throw new Error(`Expected stored or deflated files but received method ${method}.`);
  return method === 0 ? bytes : inflateRawSync(bytes);
}
