// What an ELF file says of itself: machine, libraries, versions of symbols, exported symbols. System V ABI, chapters 4 and 5.
const machines = { 0x3e: 'x64', 0xb7: 'arm64' };
const sectionTypes = { dynamic: 6, dynamicSymbols: 11, versionsNeeded: 0x6ffffffe };
const tags = { needed: 1, flags1: 0x6ffffffb };
const noDelete = 8n;

/** `{ machine, libraries, versions, exports, isPinned }` of a 64-bit little-endian shared object. */
export function readElf(bytes) {
  const at = Number(bytes.readBigUInt64LE(40));
  const [size, count] = [bytes.readUInt16LE(58), bytes.readUInt16LE(60)];
  const sections = Array.from({ length: count }, (_, i) => {
    const base = at + i * size;
    return {
      type: bytes.readUInt32LE(base + 4),
      offset: Number(bytes.readBigUInt64LE(base + 24)),
      size: Number(bytes.readBigUInt64LE(base + 32)),
      link: bytes.readUInt32LE(base + 40),
      info: bytes.readUInt32LE(base + 44),
    };
  });
  const ofType = (type) => sections.find((section) => section.type === type);
  const text = (section, offset) => {
    const start = sections[section.link].offset + offset;
    return bytes.toString('latin1', start, bytes.indexOf(0, start));
  };
  const dynamic = ofType(sectionTypes.dynamic);
  const entries = Array.from({ length: dynamic.size / 16 }, (_, i) => ({
    tag: Number(bytes.readBigUInt64LE(dynamic.offset + 16 * i)),
    value: bytes.readBigUInt64LE(dynamic.offset + 16 * i + 8),
  }));
  return {
    machine: machines[bytes.readUInt16LE(18)] ?? `machine ${bytes.readUInt16LE(18)}`,
    libraries: entries.filter(({ tag }) => tag === tags.needed).map(({ value }) => text(dynamic, Number(value))),
    versions: neededVersions(bytes, ofType(sectionTypes.versionsNeeded), text),
    exports: exportedSymbols(bytes, ofType(sectionTypes.dynamicSymbols), text),
    isPinned: entries.some(({ tag, value }) => tag === tags.flags1 && (value & noDelete) !== 0n),
  };
}

function neededVersions(bytes, section, text) {
  const versions = new Set();
  for (let file = 0, at = section?.offset; file < (section?.info ?? 0); file++) {
    let entry = at + bytes.readUInt32LE(at + 8);
    for (let i = 0; i < bytes.readUInt16LE(at + 2); i++) {
      versions.add(text(section, bytes.readUInt32LE(entry + 8)));
      entry += bytes.readUInt32LE(entry + 12);
    }
    at += bytes.readUInt32LE(at + 12);
  }
  return [...versions];
}

function exportedSymbols(bytes, section, text) {
  const names = [];
  for (let at = section.offset; at < section.offset + section.size; at += 24) {
    const isDefined = bytes.readUInt16LE(at + 6) !== 0;
    if (isDefined) names.push(text(section, bytes.readUInt32LE(at)));
  }
  return names;
}
