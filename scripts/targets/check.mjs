// Whether the file that was built for a target is what its system can load.
import { readFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { readElf } from './formats/elf.mjs';
import { readMachO } from './formats/mach-o.mjs';
import { readPe } from './formats/pe.mjs';
import { targets } from './table.mjs';

// A megabyte was the aim while the addon was inference alone; training, word vectors and vector search make zig's builds 1.4 MB.
const mostPackedBytes = 1_500_000;
const entryPoints = ['napi_register_module_v1', 'node_api_module_get_api_version_v1'];

/** Reads a file of any of the formats: `{ format, machine, libraries, exports, … }`. Throws where it is of none. */
export function readAddon(bytes) {
  const magic = bytes.readUInt32BE(0);
  if (magic === 0x7f454c46) return { format: 'ELF', ...readElf(bytes) };
  if (magic === 0xcffaedfe) return { format: 'Mach-O', ...readMachO(bytes) };
  if (magic >>> 16 === 0x4d5a) return { format: 'PE', ...readPe(bytes) };
  throw new Error(`Expected an ELF, Mach-O or PE file but its first bytes are ${magic.toString(16)}.`);
}

/** The minor number of the newest glibc that symbols come from; -1 where none does. */
export const newestGlibc = ({ versions = [] }) =>
  Math.max(-1, ...versions.map((version) => Number(/^GLIBC_2\.(\d+)/.exec(version)?.[1] ?? -1)));

/** The table's cells of a target's addon, and what is wrong with it. */
export function checkTarget(name, file) {
  const target = targets[name];
  const bytes = readFileSync(file);
  const addon = readAddon(bytes);
  const packed = gzipSync(bytes, { level: 9 }).length;
  const glibc = newestGlibc(addon);
  const problems = [];
  const expect = (holds, what) => {
    if (!holds) problems.push(`${name}: expected ${what}`);
  };
  expect(
    addon.format === target.format && addon.machine === target.machine,
    `${target.format} for ${target.machine} but the file is ${addon.format} for ${addon.machine}`,
  );
  const foreign = addon.libraries.filter((library) => !target.libraries.test(library));
  expect(foreign.length === 0, `no libraries but the system's, but it needs ${foreign.join(', ')}`);
  for (const entry of entryPoints) expect(addon.exports.includes(entry), `the exported symbol ${entry}`);
  const further = addon.exports.filter((symbol) => !entryPoints.includes(symbol));
  expect(further.length === 0, `no further exports but it has ${further.join(', ')}`);
  if (target.format === 'ELF') expect(addon.isPinned, 'a library that stays in memory (-z nodelete)');
  if (target.glibcFloor !== undefined)
    expect(glibc <= target.glibcFloor, `symbols of glibc 2.${target.glibcFloor} or older but it needs 2.${glibc}`);
  else expect(glibc < 0, `no glibc but it needs 2.${glibc}`);
  if (addon.format === 'Mach-O') {
    const strange = addon.lookups.filter((symbol) => !/^(?:napi|node_api)_/.test(symbol));
    expect(strange.length === 0, `nothing but Node-API to be looked up in the program, but it needs ${strange.join(', ')}`);
    expect(addon.signature !== 'broken', 'a signature that fits the file');
    if (target.cpu === 'arm64') expect(addon.signature === 'valid', 'a signature: macOS loads nothing unsigned on Apple silicon');
  }
  expect(packed <= mostPackedBytes, `at most ${mostPackedBytes} bytes packed but they are ${packed}`);
  const needs = [
    ...addon.libraries.map((library) => library.split('/').at(-1)),
    ...(glibc < 0 ? [] : [`glibc 2.${glibc}`]),
    ...(addon.minimumSystem ? [`macOS ${addon.minimumSystem}`] : []),
  ];
  const signed = addon.format === 'Mach-O' ? `, signature: ${addon.signature}` : '';
  return {
    file: `${addon.format} ${addon.machine}${signed}`,
    needs: summary(needs),
    exports: String(addon.exports.length),
    packed: megabytes(packed),
    unpacked: megabytes(bytes.length),
    problems,
  };
}

const megabytes = (bytes) => `${(bytes / 1e6).toFixed(2)} MB`;

/** The UCRT comes in a dozen parts. */
function summary(needs) {
  const others = needs.filter((name) => !name.startsWith('api-ms-win-crt-'));
  return [...others, ...(others.length < needs.length ? ['UCRT'] : [])].join(', ');
}
