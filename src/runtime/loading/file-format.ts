import { closeSync, openSync, readSync } from 'node:fs';

/** What a native library is built for, in Node's words; `libc` where an ELF file names one. */
export interface BuiltFor {
  readonly platform: 'linux' | 'darwin' | 'win32';
  readonly arch: string;
  readonly libc?: 'glibc' | 'musl';
}

const elfMachines: Readonly<Record<number, string>> = { 0x03: 'ia32', 0x28: 'arm', 0x3e: 'x64', 0xb7: 'arm64', 0xf3: 'riscv64' };
const machOTypes: Readonly<Record<number, string>> = { 0x01000007: 'x64', 0x0100000c: 'arm64' };
const peMachines: Readonly<Record<number, string>> = { 0x014c: 'ia32', 0x8664: 'x64', 0xaa64: 'arm64' };
const [programDynamic, programInterpreter, tagNeeded, tagStrings] = [2, 3, 1, 5];
const largestTable = 1 << 16;

/** What a file is built for; undefined where it is no native library, or may not be read. */
export function builtFor(file: string): BuiltFor | undefined {
  return inspect(file, (read) => {
    const header = read(0, 64);
    const magic = header.readUInt32BE(0);
    if (magic === 0x7f454c46) {
      const machine = header.readUInt16LE(18);
      const arch = elfMachines[machine] ?? `machine ${machine}`;
      const libc = header[4] === 2 ? neededLibc(read, header) : undefined;
      return { platform: 'linux', arch, ...(libc === undefined ? {} : { libc }) };
    }
    if (magic === 0xcffaedfe) {
      const type = header.readUInt32LE(4);
      return { platform: 'darwin', arch: machOTypes[type] ?? `cputype ${type}` };
    }
    if (magic >>> 16 !== 0x4d5a) return undefined;
    const pe = read(header.readUInt32LE(0x3c), 6);
    const machine = pe.readUInt16LE(4);
    return pe.toString('latin1', 0, 2) === 'PE' ? { platform: 'win32', arch: peMachines[machine] ?? `machine ${machine}` } : undefined;
  });
}

/** The C library of a Linux program, by its dynamic linker; undefined where it has none or is no ELF file. */
export function libcOfProgram(file: string): 'glibc' | 'musl' | undefined {
  return inspect(file, (read) => {
    const header = read(0, 64);
    if (header.readUInt32BE(0) !== 0x7f454c46 || header[4] !== 2) return undefined;
    const interpreter = programsOf(read, header).find(({ type }) => type === programInterpreter);
    if (interpreter === undefined) return undefined;
    const path = read(interpreter.offset, Math.min(interpreter.bytes, largestTable)).toString('latin1');
    if (path.includes('musl')) return 'musl';
    return path.includes('ld-linux') ? 'glibc' : undefined;
  });
}

type Read = (offset: number, bytes: number) => Buffer;

/** `look` sees the file by ranges; what a damaged or forbidden one throws is undefined. */
function inspect<T>(file: string, look: (read: Read) => T | undefined): T | undefined {
  try {
    const fd = openSync(file, 'r');
    try {
      return look((offset, bytes) => {
        const buffer = Buffer.alloc(bytes);
        return buffer.subarray(0, readSync(fd, buffer, 0, bytes, offset));
      });
    } finally {
      closeSync(fd);
    }
  } catch {
    return undefined;
  }
}

interface ProgramPart {
  readonly type: number;
  readonly offset: number;
  readonly address: number;
  readonly bytes: number;
}

function programsOf(read: Read, header: Buffer): ProgramPart[] {
  const [size, count] = [header.readUInt16LE(54), header.readUInt16LE(56)];
  const table = read(Number(header.readBigUInt64LE(32)), Math.min(size * count, largestTable));
  return Array.from({ length: count }, (_, i) => ({
    type: table.readUInt32LE(i * size),
    offset: Number(table.readBigUInt64LE(i * size + 8)),
    address: Number(table.readBigUInt64LE(i * size + 16)),
    bytes: Number(table.readBigUInt64LE(i * size + 32)),
  }));
}

/** musl's is called libc.so, or libc.musl-ARCH.so.1 where Alpine's compiler linked it; glibc's libc.so.6. */
function neededLibc(read: Read, header: Buffer): 'glibc' | 'musl' | undefined {
  const programs = programsOf(read, header);
  const dynamic = programs.find(({ type }) => type === programDynamic);
  if (dynamic === undefined) return undefined;
  const table = read(dynamic.offset, Math.min(dynamic.bytes, largestTable));
  const entries = Array.from({ length: Math.floor(table.length / 16) }, (_, i) => ({
    tag: Number(table.readBigUInt64LE(16 * i)),
    value: Number(table.readBigUInt64LE(16 * i + 8)),
  }));
  const strings = entries.find(({ tag }) => tag === tagStrings)?.value;
  if (strings === undefined) return undefined;
  const part = programs.find(({ type, address, bytes }) => type === 1 && strings >= address && strings < address + bytes);
  if (part === undefined) return undefined;
  const names = entries
    .filter(({ tag }) => tag === tagNeeded)
    .map(
      ({ value }) =>
        read(strings - part.address + part.offset + value, 64)
          .toString('latin1')
          .split('\0', 1)[0]!,
    );
  if (names.some((name) => name === 'libc.so.6')) return 'glibc';
  return names.some((name) => name === 'libc.so' || name.startsWith('libc.musl')) ? 'musl' : undefined;
}
