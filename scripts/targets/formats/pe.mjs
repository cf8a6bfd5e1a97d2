// What a Windows library says of itself: machine, imported libraries, exported symbols. Microsoft's "PE Format".
const machines = { 0x8664: 'x64', 0xaa64: 'arm64' };

/** `{ machine, libraries, exports }` of a 64-bit DLL. */
export function readPe(bytes) {
  const header = bytes.readUInt32LE(0x3c) + 4;
  const optional = header + 20;
  const firstSection = optional + bytes.readUInt16LE(header + 16);
  const sections = Array.from({ length: bytes.readUInt16LE(header + 2) }, (_, i) => firstSection + 40 * i);
  const offsetOf = (address) => {
    const section = sections.find((at) => {
      const begin = bytes.readUInt32LE(at + 12);
      return address >= begin && address < begin + Math.max(bytes.readUInt32LE(at + 8), bytes.readUInt32LE(at + 16));
    });
    return address - bytes.readUInt32LE(section + 12) + bytes.readUInt32LE(section + 20);
  };
  const text = (address) => bytes.toString('latin1', offsetOf(address), bytes.indexOf(0, offsetOf(address)));
  const machine = bytes.readUInt16LE(header);
  const directory = (i) => bytes.readUInt32LE(optional + 112 + 8 * i);
  const libraries = [];
  if (directory(1) !== 0)
    for (let at = offsetOf(directory(1)); bytes.readUInt32LE(at + 12) !== 0; at += 20) libraries.push(text(bytes.readUInt32LE(at + 12)));
  const exports = [];
  if (directory(0) !== 0) {
    const at = offsetOf(directory(0));
    const names = offsetOf(bytes.readUInt32LE(at + 32));
    for (let i = 0; i < bytes.readUInt32LE(at + 24); i++) exports.push(text(bytes.readUInt32LE(names + 4 * i)));
  }
  return { machine: machines[machine] ?? `machine 0x${machine.toString(16)}`, libraries, exports };
}
