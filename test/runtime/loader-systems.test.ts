// The loader on systems that are not this one: what it asks of the process is faked, the files are real headers.
import { rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import * as assert from 'uvu/assert';
import { publishedPlatforms } from '../../src/runtime/loading/system.js';
import { version } from '../../src/version.js';
import { evaluate, installedPackage, placePackage, type Outcome } from '../support/installed-package.js';
import { elfFile, machOFile, peFile } from '../support/native-files.js';
import { suite } from '../support/suite.js';

interface System {
  readonly platform: string;
  readonly arch: 'x64' | 'arm64';
  readonly libc?: 'glibc' | 'musl';
  readonly processor?: string;
}

/** The system of a platform package's name. */
function systemOf(name: string): System {
  const [platform, arch, libc] = name.split('-');
  return { platform: platform!, arch: arch as System['arch'], ...(libc === undefined ? {} : { libc: libc === 'gnu' ? 'glibc' : 'musl' }) };
}

/** The header of an addon for a system. */
function addonFor({ platform, arch, libc }: System): Buffer {
  if (platform === 'linux') return elfFile(arch, libc === 'musl' ? ['libc.so'] : ['libm.so.6', 'libc.so.6']);
  return platform === 'darwin' ? machOFile(arch) : peFile(arch);
}

/** Source that makes the process one of `system`, whose dlopen gives an addon of this version, or fails with `problem`. */
function pretend({ platform, arch, libc, processor = 'some processor' }: System, problem?: string): string {
  const set = (name: string, value: string): string => `Object.defineProperty(process, '${name}', { value: ${JSON.stringify(value)} });`;
  const opened =
    problem === undefined
      ? `module.exports = { version: ${JSON.stringify(version)}, file };`
      : `throw Object.assign(new Error(${JSON.stringify(problem)}), { code: 'ERR_DLOPEN_FAILED' });`;
  return `
    ${set('platform', platform)} ${set('arch', arch)} ${set('execPath', '/nowhere/node')}
    process.report.getReport = () => ({ header: ${libc === 'glibc' ? "{ glibcVersionRuntime: '2.28' }" : '{}'} });
    require('node:os').cpus = () => [{ model: ${JSON.stringify(processor)} }];
    process.dlopen = (module, file) => { ${opened} };
    require('node:module').syncBuiltinESMExports();`;
}

const t = suite<{ home: string }>('loader on other systems');
t.before.each((context) => {
  context.home = installedPackage();
});
t.after.each((context) => rmSync(dirname(dirname(context.home)), { recursive: true, force: true }));

/** The error of loading the file that BERTHA_ADDON names, which is built for `built`. */
function loadAs(home: string, system: System, built: System, problem?: string, name = 'bertha.node'): Outcome {
  const file = join(home, name);
  writeFileSync(file, addonFor(built));
  return evaluate(home, 'loadAddon()', { before: pretend(system, problem), env: { BERTHA_ADDON: file } });
}

for (const name of publishedPlatforms)
  t(`takes the package of ${name} there, and no other`, ({ home }) => {
    const system = systemOf(name);
    const files = Object.fromEntries(publishedPlatforms.map((other) => [other, placePackage(home, other, version)]));
    for (const [other, file] of Object.entries(files)) writeFileSync(file, addonFor(systemOf(other)));
    const found = evaluate(home, 'loadAddon().file', { before: pretend(system) });
    assert.ok(String(found.value).endsWith(join('@bertha-encoder', name, 'bertha.node')), found.message);

    rmSync(dirname(files[name]!), { recursive: true });
    const { code, message } = evaluate(home, 'loadAddon()', { before: pretend(system) });
    assert.is(code, 'ADDON_LOAD');
    assert.match(message, `@bertha-encoder/${name} is not installed`);
    assert.match(message, `npm install @bertha-encoder/${name} `);
    for (const other of publishedPlatforms) if (other !== name) assert.match(message, `@bertha-encoder/${other} is built for`);
  });

t('says how to get the Node.js of Apple silicon where one for Intel runs there, and there alone', ({ home }) => {
  const intel: System = { platform: 'darwin', arch: 'x64' };
  const built: System = { platform: 'darwin', arch: 'arm64' };
  const translated = loadAs(home, { ...intel, processor: 'Apple M2' }, built).message;
  assert.match(translated, 'is built for arm64, this Node.js is x64');
  assert.match(translated, 'runs under Rosetta: install the Node.js for arm64');
  const mac = loadAs(home, { ...intel, processor: 'Intel(R) Core(TM) i7' }, built).message;
  assert.match(mac, 'is built for arm64, this Node.js is x64');
  assert.not.match(mac, 'Rosetta');
  assert.match(mac, 'npm install --os=darwin --cpu=x64');
});

t('says what helps against a signature that macOS refuses', ({ home }) => {
  const mac: System = { platform: 'darwin', arch: 'arm64' };
  const refused =
    'dlopen(bertha.node, 0x0001): code signature not valid for use in process: mapped file has no cdhash, completely unsigned?';
  assert.match(loadAs(home, mac, mac, refused).message, /codesign --force --sign - ".*bertha\.node"/);
});

t('says what helps where files may not be run', ({ home }) => {
  const linux: System = { platform: 'linux', arch: 'x64', libc: 'glibc' };
  const { message } = loadAs(home, linux, linux, 'bertha.node: failed to map segment from shared object');
  assert.match(message, 'without the right to run programs (noexec)');
});

t('says what Windows may miss: the C runtime, or a shorter path', ({ home }) => {
  const windows: System = { platform: 'win32', arch: 'x64' };
  const absent = 'The specified module could not be found.';
  const short = loadAs(home, windows, windows, absent).message;
  assert.match(short, 'install the Microsoft Visual C++ Redistributable');
  assert.not.match(short, 'LongPathsEnabled');
  const long = loadAs(home, windows, windows, absent, `${'d'.repeat(240)}.node`).message;
  assert.match(long, /its path has \d{3} letters: install into a folder with a shorter path/);
  assert.not.match(long, 'Redistributable');
});

t('gives no remedy for a failure whose cause it does not know', ({ home }) => {
  const linux: System = { platform: 'linux', arch: 'x64', libc: 'musl' };
  const { message } = loadAs(home, linux, linux, 'something else');
  assert.match(message, 'cannot be loaded: something else');
  assert.not.match(message, /noexec|codesign|Redistributable|Rosetta/);
});

t.run();
