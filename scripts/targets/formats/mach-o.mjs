// What a Mach-O file says of itself: machine, libraries, exported symbols, signature. Apple's <mach-o/loader.h> and <mach-o/nlist.h>.
const machines = { 0x01000007: 'x64', 0x0100000c: 'arm64' };
const commands = { symbols: 0x2, library: 0xc, codeSignature: 0x1d, buildVersion: 0x32 };
const [external, typeMask, privateExternal] = [0x01, 0x0e, 0x10];

/** `{ machine, libraries, exports, minimumSystem, isSigned }` of a 64-bit little-endian library. */
export function readMachO(bytes) {
  const found = {
    machine: machines[bytes.readUInt32LE(4)] ?? `cputype ${bytes.readUInt32LE(4)}`,
    libraries: [],
    exports: [],
    minimumSystem: '',
    isSigned: false,
  };
  const text = (start) => bytes.toString('latin1', start, bytes.indexOf(0, start));
  let at = 32;
  for (let i = 0; i < bytes.readUInt32LE(16); i++) {
    const command = bytes.readUInt32LE(at) & 0x7fffffff;
    if (command === commands.library) found.libraries.push(text(at + bytes.readUInt32LE(at + 8)));
    if (command === commands.codeSignature) found.isSigned = true;
    if (command === commands.buildVersion) found.minimumSystem = `${bytes.readUInt16LE(at + 14)}.${bytes[at + 13]}`;
    if (command === commands.symbols) {
      const [symbols, count, strings] = [8, 12, 16].map((offset) => bytes.readUInt32LE(at + offset));
      for (let symbol = symbols; symbol < symbols + 16 * count; symbol += 16) {
        const type = bytes[symbol + 4];
        const isExported = (type & external) !== 0 && (type & typeMask) !== 0 && (type & privateExternal) === 0;
        if (isExported) found.exports.push(text(strings + bytes.readUInt32LE(symbol)).replace(/^_/, ''));
      }
    }
    at += bytes.readUInt32LE(at + 4);
  }
  return found;
}
