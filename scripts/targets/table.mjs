// The systems that prebuilt addons are made for. `triple` is zig's name; a number behind gnu is the glibc that symbols may come from: Node.js 20
// itself needs 2.28. `format`, `machine`: what the file must be (scripts/targets/formats).
const elf = { format: 'ELF', os: 'linux', link: 'elf' };
const machO = { format: 'Mach-O', os: 'darwin', link: 'mach-o' };
const pe = { format: 'PE', os: 'win32', link: 'pe' };
const x64 = { cpu: 'x64', machine: 'x64' };
const arm64 = { cpu: 'arm64', machine: 'arm64' };
const glibc = { libc: 'glibc', libraries: /^(?:libc\.so\.6|libm\.so\.6|libpthread\.so\.0|libdl\.so\.2|ld-linux[-.\w]*)$/, glibcFloor: 28 };
const musl = { libc: 'musl', libraries: /^libc\.so$/ };
const mac = { libraries: /^\/usr\/lib\/libSystem\.B\.dylib$/ };
// The UCRT's parts; KERNEL32 and ntdll are in every process.
const windows = { libraries: /^(?:KERNEL32|ntdll|api-ms-win-crt-[\w-]+)\.dll$/i };

export const targets = {
  'linux-x64-gnu': { triple: 'x86_64-linux-gnu.2.28', ...elf, ...x64, ...glibc },
  'linux-x64-musl': { triple: 'x86_64-linux-musl', ...elf, ...x64, ...musl },
  'win32-x64': { triple: 'x86_64-windows-gnu', ...pe, ...x64, ...windows },
  'darwin-arm64': { triple: 'aarch64-macos.13.0', ...machO, ...arm64, ...mac },
  'darwin-x64': { triple: 'x86_64-macos.13.0', ...machO, ...x64, ...mac },
  'linux-arm64-gnu': { triple: 'aarch64-linux-gnu.2.28', ...elf, ...arm64, ...glibc },
  'linux-arm64-musl': { triple: 'aarch64-linux-musl', ...elf, ...arm64, ...musl },
  'win32-arm64': { triple: 'aarch64-windows-gnu', ...pe, ...arm64, ...windows },
};

/** The target of a system: `libc` is glibc or musl on Linux. Undefined where none is made for it. */
export function targetOf(platform, arch, libc) {
  return Object.keys(targets).find((name) => {
    const { os, cpu, libc: wanted } = targets[name];
    return os === platform && cpu === arch && (wanted === undefined || wanted === libc);
  });
}

/** The names that are asked for, in the table's order; all where none is. Throws where one is unknown. */
export function chooseTargets(names) {
  const known = Object.keys(targets);
  for (const name of names) if (!known.includes(name)) throw new Error(`Expected targets of ${known.join(', ')} but received ${name}.`);
  return names.length === 0 ? known : known.filter((name) => names.includes(name));
}
