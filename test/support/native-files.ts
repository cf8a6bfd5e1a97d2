// The least that says of a native library what it is for.
import { createHash } from 'node:crypto';

type Arch = 'x64' | 'arm64';

/** A 64-bit ELF library that needs `libraries`. */
export function elfFile(arch: Arch, libraries: readonly string[]): Buffer {
  const [programs, dynamic, strings] = [64, 176, 512];
  const file = Buffer.alloc(1024);
  file.write('\u007fELF\u0002\u0001\u0001', 'latin1');
  file.writeUInt16LE(3, 16);
  file.writeUInt16LE({ x64: 0x3e, arm64: 0xb7 }[arch], 18);
  file.writeBigUInt64LE(BigInt(programs), 32);
  file.writeUInt16LE(56, 54);
  file.writeUInt16LE(2, 56);
  const load = { type: 1, offset: 0, bytes: file.length };
  const table = { type: 2, offset: dynamic, bytes: 16 * (libraries.length + 2) };
  for (const [i, { type, offset, bytes }] of [load, table].entries()) {
    const at = programs + 56 * i;
    file.writeUInt32LE(type, at);
    for (const [field, value] of [offset, offset, offset, bytes, bytes].entries()) file.writeBigUInt64LE(BigInt(value), at + 8 + 8 * field);
  }
  let name = 1;
  const entries = libraries.map((library) => {
    const at = name;
    name += file.write(`${library}\0`, strings + at, 'latin1');
    return [1, at] as const;
  });
  for (const [i, [tag, value]] of [...entries, [5, strings] as const].entries()) {
    file.writeBigUInt64LE(BigInt(tag), dynamic + 16 * i);
    file.writeBigUInt64LE(BigInt(value), dynamic + 16 * i + 8);
  }
  return file;
}

/** The header of a 64-bit Mach-O library. */
export function machOFile(arch: Arch): Buffer {
  const file = Buffer.alloc(256);
  file.writeUInt32LE(0xfeedfacf, 0);
  file.writeUInt32LE({ x64: 0x01000007, arm64: 0x0100000c }[arch], 4);
  file.writeUInt32LE(6, 12);
  return file;
}

/** A Mach-O library with an ad-hoc signature of its one page. */
export function signedMachOFile(arch: Arch): Buffer {
  const header = machOFile(arch);
  header.writeUInt32LE(1, 16);
  for (const [i, value] of [0x1d, 16, header.length, 128].entries()) header.writeUInt32LE(value, 32 + 4 * i);
  const [directory, hashes] = [20, 44];
  const signature = Buffer.alloc(128);
  for (const [i, value] of [0xfade0cc0, 128, 1, 0, directory].entries()) signature.writeUInt32BE(value, 4 * i);
  for (const [at, value] of [
    [0, 0xfade0c02],
    [16, hashes],
    [28, 1],
    [32, header.length],
  ] as const)
    signature.writeUInt32BE(value, directory + at);
  signature.set([32, 2, 0, 12], directory + 36);
  signature.set(createHash('sha256').update(header).digest(), directory + hashes);
  return Buffer.concat([header, signature]);
}

/** The header of a Windows library. */
export function peFile(arch: Arch): Buffer {
  const file = Buffer.alloc(256);
  file.write('MZ', 'latin1');
  file.writeUInt32LE(0x40, 0x3c);
  file.write('PE\0\0', 0x40, 'latin1');
  file.writeUInt16LE({ x64: 0x8664, arm64: 0xaa64 }[arch], 0x44);
  return file;
}
