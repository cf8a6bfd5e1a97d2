// What a Mach-O file says of itself: machine, libraries, symbols, signature. Apple's <mach-o/loader.h>, <mach-o/nlist.h>, and cs_blobs.h of its kernel.
import { createHash } from 'node:crypto';

const machines = { 0x01000007: 'x64', 0x0100000c: 'arm64' };
const commands = { symbols: 0x2, library: 0xc, codeSignature: 0x1d, buildVersion: 0x32 };
const [external, typeMask, privateExternal] = [0x01, 0x0e, 0x10];
/** Instead of a library's number: whatever the process has loaded. */
const dynamicLookup = 0xfe;
/** The file's own header under the linker's names: every library has them, and none finds those of another. */
const linkerSymbols = ['_mh_dylib_header', '__dso_handle'];
const signature = { embedded: 0xfade0cc0, codeDirectory: 0xfade0c02, sha256: 2 };

/**
 * `{ machine, libraries, exports, lookups, minimumSystem, signature }` of a 64-bit little-endian library. `lookups`: symbols that the program
 * which loads it must have. `signature`: none, valid (its hashes are those of the file's pages), or broken.
 */
export function readMachO(bytes) {
  const found = {
    machine: machines[bytes.readUInt32LE(4)] ?? `cputype ${bytes.readUInt32LE(4)}`,
    libraries: [],
    exports: [],
    lookups: [],
    minimumSystem: '',
    signature: 'none',
  };
  const text = (start) => bytes.toString('latin1', start, bytes.indexOf(0, start));
  let at = 32;
  for (let i = 0; i < bytes.readUInt32LE(16); i++) {
    const command = bytes.readUInt32LE(at) & 0x7fffffff;
    if (command === commands.library) found.libraries.push(text(at + bytes.readUInt32LE(at + 8)));
    if (command === commands.codeSignature) found.signature = isSignedAs(bytes, bytes.readUInt32LE(at + 8)) ? 'valid' : 'broken';
    if (command === commands.buildVersion) found.minimumSystem = `${bytes.readUInt16LE(at + 14)}.${bytes[at + 13]}`;
    if (command === commands.symbols) {
      const [symbols, count, strings] = [8, 12, 16].map((offset) => bytes.readUInt32LE(at + offset));
      for (let symbol = symbols; symbol < symbols + 16 * count; symbol += 16) {
        const type = bytes[symbol + 4];
        if ((type & external) === 0 || (type & privateExternal) !== 0) continue;
        const name = text(strings + bytes.readUInt32LE(symbol)).replace(/^_/, '');
        if ((type & typeMask) !== 0) {
          if (!linkerSymbols.includes(name)) found.exports.push(name);
        } else if (bytes[symbol + 7] === dynamicLookup) found.lookups.push(name);
      }
    }
    at += bytes.readUInt32LE(at + 4);
  }
  return found;
}

/** Whether the code directory of the signature at `offset` has the hash of every page before it: the kernel ends a process over one that differs. */
function isSignedAs(bytes, offset) {
  if (bytes.readUInt32BE(offset) !== signature.embedded) return false;
  const parts = Array.from({ length: bytes.readUInt32BE(offset + 8) }, (_, i) => offset + bytes.readUInt32BE(offset + 16 + 8 * i));
  const directory = parts.find((part) => bytes.readUInt32BE(part) === signature.codeDirectory);
  if (directory === undefined || bytes[directory + 37] !== signature.sha256) return false;
  const [hashes, pages, limit] = [16, 28, 32].map((field) => bytes.readUInt32BE(directory + field));
  const [hashBytes, pageBytes] = [bytes[directory + 36], 1 << bytes[directory + 39]];
  if (limit !== offset || pages !== Math.ceil(limit / pageBytes)) return false;
  return Array.from({ length: pages }, (_, page) => {
    const hash = createHash('sha256').update(bytes.subarray(page * pageBytes, Math.min(limit, (page + 1) * pageBytes)));
    const at = directory + hashes + page * hashBytes;
    return hash
      .digest()
      .subarray(0, hashBytes)
      .equals(bytes.subarray(at, at + hashBytes));
  }).every((isSame) => isSame);
}
