// The least that says of a native library what it is for.
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

/** The header of a Windows library. */
export function peFile(arch: Arch): Buffer {
  const file = Buffer.alloc(256);
  file.write('MZ', 'latin1');
  file.writeUInt32LE(0x40, 0x3c);
  file.write('PE\0\0', 0x40, 'latin1');
  file.writeUInt16LE({ x64: 0x8664, arm64: 0xaa64 }[arch], 0x44);
  return file;
}
