import { existsSync, readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import * as assert from 'uvu/assert';
import { publishedPlatforms } from '../../src/runtime/loading/system.js';
import { builtFor, libcOfProgram } from '../../src/runtime/loading/file-format.js';
import { checkTarget, newestGlibc, readAddon } from '../../scripts/targets/check.mjs';
import { chooseTargets, targetOf, targets } from '../../scripts/targets/table.mjs';
import { elfFile, machOFile, peFile, signedMachOFile } from '../support/native-files.js';
import { skip } from '../support/skip.js';
import { suite } from '../support/suite.js';

const addon = fileURLToPath(new URL('../../build/Release/bertha.node', import.meta.url));
const host = `${process.platform}-${process.arch}`;

const t = suite('targets');

t('are the platforms that the loader knows, in its names', () => {
  assert.equal([...publishedPlatforms].sort(), Object.keys(targets).sort());
  for (const [name, { os, cpu, libc }] of Object.entries(targets)) {
    const suffix = libc === undefined ? '' : { glibc: '-gnu', musl: '-musl' }[libc];
    assert.is(name, `${os}-${cpu}${suffix}`);
    assert.is(targetOf(os, cpu, libc), name);
  }
  assert.is(targetOf('linux', 'riscv64', 'glibc'), undefined);
  assert.is(targetOf('linux', 'x64', undefined), undefined);
});

t('are chosen by name, and none is made up', () => {
  assert.equal(chooseTargets([]), Object.keys(targets));
  assert.equal(chooseTargets(['win32-x64', 'linux-x64-gnu']), ['linux-x64-gnu', 'win32-x64']);
  assert.throws(() => chooseTargets(['linux-x86']), /Expected targets of linux-x64-gnu, .* but received linux-x86/);
});

t('reads what an addon is and needs out of the file', () => {
  if (host !== 'linux-x64') return skip('linux-x64');
  const found = readAddon(readFileSync(addon));
  assert.equal([found.format, found.machine, found.isPinned], ['ELF', 'x64', true]);
  assert.equal([...found.exports].sort(), ['napi_register_module_v1', 'node_api_module_get_api_version_v1']);
  assert.ok(found.libraries.includes('libc.so.6') || found.libraries.some((name) => name.startsWith('libc.')), found.libraries.join());
  assert.ok(newestGlibc(found) >= 2, String(newestGlibc(found)));
  assert.throws(() => readAddon(Buffer.from('not an addon')), /Expected an ELF, Mach-O or PE file but its first bytes are 6e6f7420/);
});

t('names everything about an addon that its system cannot load', () => {
  if (host !== 'linux-x64') return skip('linux-x64');
  const problems = (name: string): string => checkTarget(name, addon).problems.join('\n');
  assert.match(problems('linux-arm64-gnu'), 'linux-arm64-gnu: expected ELF for arm64 but the file is ELF for x64');
  assert.match(problems('darwin-arm64'), 'expected Mach-O for arm64 but the file is ELF for x64');
  assert.match(problems('linux-x64-musl'), /linux-x64-musl: expected no libraries but the system's, but it needs .*libc\.so\.6/);
  assert.match(problems('linux-x64-musl'), /expected no glibc but it needs 2\.\d+/);
});

t('need no newer glibc than they are published for', () => {
  if (host !== 'linux-x64') return skip('linux-x64');
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  // A build from source takes what the system has; releases are made on none newer than these.
  const ours = Number(header.glibcVersionRuntime?.split('.')[1] ?? Infinity);
  if (ours > 37) skip('glibc 2.37 or older, for the addon from source');
  else assert.ok(newestGlibc(readAddon(readFileSync(addon))) <= 34, `glibc 2.${newestGlibc(readAddon(readFileSync(addon)))}`);
  const prebuilt = fileURLToPath(new URL('../../build-targets/linux-x64-gnu/bertha.node', import.meta.url));
  if (!existsSync(prebuilt)) return skip('npm run build:targets -- linux-x64-gnu');
  const newest = newestGlibc(readAddon(readFileSync(prebuilt)));
  assert.ok(newest >= 2 && newest <= 28, `glibc 2.${newest}`);
});

t('tells a signature that fits a Mach-O file from one that does not', () => {
  const signed = signedMachOFile('arm64');
  const changed = Buffer.from(signed);
  changed[200]! ^= 1;
  const unknown = Buffer.from(signed);
  unknown.writeUInt32BE(0, 256 + 20);
  const signatures = [machOFile('arm64'), signed, changed, unknown].map((file) => readAddon(file).signature);
  assert.equal(signatures, ['none', 'valid', 'broken', 'broken']);
});

t('tells systems, processors and C libraries apart by the first bytes', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bertha-formats-'));
  const file = join(folder, 'addon.node');
  const read = (bytes: Buffer): unknown => {
    writeFileSync(file, bytes);
    return builtFor(file);
  };
  for (const arch of ['x64', 'arm64'] as const) {
    assert.equal(read(machOFile(arch)), { platform: 'darwin', arch });
    assert.equal(read(peFile(arch)), { platform: 'win32', arch });
    assert.equal(read(elfFile(arch, [])), { platform: 'linux', arch });
    assert.equal(read(elfFile(arch, ['libm.so.6', 'libc.so.6'])), { platform: 'linux', arch, libc: 'glibc' });
    assert.equal(read(elfFile(arch, ['libc.so'])), { platform: 'linux', arch, libc: 'musl' });
    assert.equal(read(elfFile(arch, [`libc.musl-${arch}.so.1`])), { platform: 'linux', arch, libc: 'musl' });
  }
  for (const bytes of [
    Buffer.alloc(0),
    Buffer.from('MZ'),
    Buffer.from('text'),
    Buffer.alloc(64),
    elfFile('x64', ['libc.so']).subarray(0, 70),
  ])
    assert.is(read(bytes), undefined);
  assert.is(builtFor(join(folder, 'none')), undefined);
  rmSync(folder, { recursive: true });
});

t('knows the C library of a program by its dynamic linker', () => {
  if (process.platform !== 'linux') return skip('Linux');
  const { header } = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
  assert.is(libcOfProgram(process.execPath), header.glibcVersionRuntime === undefined ? 'musl' : 'glibc');
  assert.is(libcOfProgram(addon), undefined);
});

t.run();
