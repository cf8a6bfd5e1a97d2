import { chmodSync, copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { suite } from '../support/suite.js';
import * as assert from 'uvu/assert';
import { evaluate, installedPackage, placePackage } from '../support/installed-package.js';
import { elfFile, machOFile, peFile } from '../support/native-files.js';
import { skip } from '../support/skip.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const addon = join(root, 'build', 'Release', 'bertha.node');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
const report = process.report.getReport() as unknown as { header: { glibcVersionRuntime?: string } };
const isMusl = process.platform === 'linux' && report.header.glibcVersionRuntime === undefined;
const platform = `${process.platform}-${process.arch}${process.platform === 'linux' ? (isMusl ? '-musl' : '-gnu') : ''}`;

/** Loads the addon that `configure` names. */
const configured = (file: string, rest = ''): string => `(configure({ addon: ${JSON.stringify(file)} }), loadAddon()${rest})`;

const placePlatformPackage = (home: string, version: string): string => placePackage(home, platform, version);

const t = suite<{ home: string }>('loader');
t.before.each((context) => {
  context.home = installedPackage();
});
t.after.each((context) => rmSync(dirname(dirname(context.home)), { recursive: true, force: true }));

t('names every attempt, its reason and the remedy when there is no addon', ({ home }) => {
  const { code, message } = evaluate(home, 'loadAddon()');
  assert.is(code, 'ADDON_LOAD');
  assert.match(message, `${home}/build/Release/bertha.node is not there`);
  assert.match(message, `${home}/build-cmake/Release/bertha.node is not there`);
  assert.match(message, `@bertha-encoder/${platform} `);
  assert.match(message, `Node.js ${process.version}`);
  assert.match(message, 'npm ci');
});

t('loads the platform package when there is no local build', ({ home }) => {
  copyFileSync(addon, placePlatformPackage(home, version));
  assert.is(evaluate(home, 'loadAddon().builder').value, 'node-gyp');
});

t('prefers a local build to the platform package', ({ home }) => {
  writeFileSync(placePlatformPackage(home, version), 'not an addon');
  mkdirSync(join(home, 'build', 'Release'), { recursive: true });
  copyFileSync(addon, join(home, 'build', 'Release', 'bertha.node'));
  assert.is(evaluate(home, 'loadAddon().builder').value, 'node-gyp');
});

t('prefers the CUDA package to the platform package, and takes the platform package when that one cannot be loaded', ({ home }) => {
  writeFileSync(placePlatformPackage(home, version), 'not an addon');
  const cuda = placePackage(home, `${process.platform}-${process.arch}-cuda13`, version);
  copyFileSync(addon, cuda);
  assert.is(evaluate(home, 'loadAddon().builder').value, 'node-gyp');
  writeFileSync(cuda, 'not an addon');
  assert.match(evaluate(home, 'loadAddon()').message, /-cuda13 cannot be loaded[^]*@bertha-encoder/);
  copyFileSync(addon, placePlatformPackage(home, version));
  assert.is(evaluate(home, 'loadAddon().builder').value, 'node-gyp');
});

t('refuses a CUDA package of another version', ({ home }) => {
  const folder = dirname(placePackage(home, `${process.platform}-${process.arch}-cuda13`, version));
  writeFileSync(join(folder, 'bertha.node.js'), 'exports.version = "0.0.1";');
  writeFileSync(join(folder, 'package.json'), JSON.stringify({ exports: { './bertha.node': './bertha.node.js' } }));
  assert.match(evaluate(home, 'loadAddon()').message, new RegExp(`-cuda13 has version 0\\.0\\.1, expected ${version}`));
});

t('goes on to the next candidate when one cannot be loaded', ({ home }) => {
  mkdirSync(join(home, 'build', 'Release'), { recursive: true });
  writeFileSync(join(home, 'build', 'Release', 'bertha.node'), elfFile('arm64', []));
  copyFileSync(addon, placePlatformPackage(home, version));
  assert.is(evaluate(home, 'loadAddon().builder').value, 'node-gyp');
});

t('refuses a platform package of another version', ({ home }) => {
  copyFileSync(addon, placePlatformPackage(home, '9.9.9'));
  writeFileSync(join(home, 'dist', 'version.js'), "export const version = '9.9.9';");
  const { code, message } = evaluate(home, 'loadAddon()');
  assert.is(code, 'ADDON_LOAD');
  assert.match(message, `has version ${version}, expected 9.9.9`);
});

t('tries nothing else when BERTHA_ADDON names a file', ({ home }) => {
  copyFileSync(addon, placePlatformPackage(home, version));
  const { code, message } = evaluate(home, 'loadAddon()', { env: { BERTHA_ADDON: '/nowhere/bertha.node' } });
  assert.is(code, 'ADDON_LOAD');
  assert.match(message, '/nowhere/bertha.node is not there');
  assert.match(message, 'correct or remove BERTHA_ADDON');
  assert.not.match(message, '@bertha-encoder');
});

t('loads the file that configure names', ({ home }) => {
  assert.is(evaluate(home, configured(addon, '.builder')).value, 'node-gyp');
});

t('takes a file URL, and goes by configure before BERTHA_ADDON', ({ home }) => {
  assert.is(evaluate(home, configured(pathToFileURL(addon).href, '.builder')).value, 'node-gyp');
  assert.is(evaluate(home, configured(addon, '.builder'), { env: { BERTHA_ADDON: '/nowhere/bertha.node' } }).value, 'node-gyp');
  assert.match(evaluate(home, configured('/nowhere/bertha.node')).message, 'correct or remove the option addon of configure');
});

t('refuses locations that are none', ({ home }) => {
  for (const location of ['7', '""', '{}', '"http://localhost/bertha.node"']) {
    const { code, message } = evaluate(home, `configure({ addon: ${location} })`);
    assert.is(code, 'INVALID_OPTION');
    assert.match(message, 'Expected a path or a file URL for configure option addon but received');
  }
  assert.match(evaluate(home, 'configure({ model: "x" })').message, 'Did you mean "modelDirectory"?');
});

t('refuses a module that is no addon of this package', ({ home }) => {
  const file = join(home, 'other.cjs');
  writeFileSync(file, 'exports.load = () => 7;');
  const { code, message } = evaluate(home, configured(file));
  assert.is(code, 'ADDON_LOAD');
  assert.match(message, 'other.cjs is no addon of bertha-encoder');
});

t('names the processor that an addon was built for', ({ home }) => {
  const file = join(home, 'other.node');
  const built = process.arch === 'arm64' ? 'x64' : 'arm64';
  writeFileSync(file, elfFile(built, ['libc.so.6']));
  assert.match(evaluate(home, configured(file)).message, `is built for ${built}, this Node.js is ${process.arch}`);
});

t('refuses what is built for another system or C library before it is tried, and says how to get the right one', ({ home }) => {
  if (process.platform !== 'linux') return skip('Linux');
  const file = join(home, 'other.node');
  const arch = process.arch === 'arm64' ? 'arm64' : 'x64';
  const [theirs, ours, needed] = isMusl ? ['glibc', 'musl', ['libm.so.6', 'libc.so.6']] : ['musl', 'glibc \\d\\.\\d+', ['libc.so']];
  const cases: readonly (readonly [Buffer, RegExp])[] = [
    [machOFile(arch), new RegExp(`other\\.node is built for darwin-${arch}, this is linux-${arch}`)],
    [peFile(arch), new RegExp(`other\\.node is built for win32-${arch}, this is linux-${arch}`)],
    [elfFile(arch, needed), new RegExp(`other\\.node is built for ${theirs}, this system has ${ours}`)],
    [
      elfFile(arch, isMusl ? needed : ['libc.musl-x86_64.so.1']),
      new RegExp(`other\\.node is built for ${theirs}, this system has ${ours}`),
    ],
  ];
  for (const [bytes, why] of cases) {
    writeFileSync(file, bytes);
    const { code, message } = evaluate(home, configured(file));
    assert.is(code, 'ADDON_LOAD');
    assert.match(message, why);
    assert.match(message, new RegExp(`node_modules was installed for another system: .*--os=linux --cpu=${arch} --libc=(glibc|musl)`));
  }
});

t('takes damaged and cut files for what they are not', ({ home }) => {
  const file = join(home, 'cut.node');
  const whole = elfFile(process.arch === 'arm64' ? 'arm64' : 'x64', ['libc.so']);
  for (const bytes of [
    Buffer.alloc(0),
    whole.subarray(0, 40),
    whole.subarray(0, 64),
    whole.subarray(0, 130),
    Buffer.from('MZ'),
    peFile('x64').subarray(0, 66),
  ]) {
    writeFileSync(file, bytes);
    const { code, message } = evaluate(home, configured(file));
    assert.is(code, 'ADDON_LOAD', message);
    assert.match(message, /cut\.node (cannot be loaded: .+|is built for)/);
  }
});

t('names the packages of other systems that are installed in place of the right one', ({ home }) => {
  const [other, bytes] = isMusl ? ['linux-x64-gnu', elfFile('x64', ['libc.so.6'])] : ['linux-x64-musl', elfFile('x64', ['libc.so'])];
  writeFileSync(placePackage(home, other, version), bytes);
  writeFileSync(placePackage(home, 'darwin-arm64', version), machOFile('arm64'));
  const { message } = evaluate(home, 'loadAddon()');
  assert.match(message, `@bertha-encoder/${other} is built for`);
  assert.match(message, '@bertha-encoder/darwin-arm64 is built for darwin-arm64, this is');
  assert.match(message, 'delete it and run npm install here');
});

t('loads from folders with blanks, letters of any script and long names, and from one that nobody may write to', ({ home }) => {
  const folder = join(home, 'mit Leerzeichen', 'Größe', '日本語', 'd'.repeat(200));
  mkdirSync(folder, { recursive: true });
  const file = join(folder, 'bertha.node');
  copyFileSync(addon, file);
  chmodSync(file, 0o444);
  chmodSync(folder, 0o555);
  assert.is(evaluate(home, configured(file, '.builder')).value, 'node-gyp');
  chmodSync(folder, 0o755);
});

t('names the C library that an addon needs and the one there is', ({ home }) => {
  if (process.platform !== 'linux') return skip('glibc');
  const file = join(home, 'newer.node');
  writeFileSync(file, readFileSync(addon).toString('latin1').replaceAll('GLIBC_2.34', 'GLIBC_9.34'), 'latin1');
  assert.match(evaluate(home, configured(file)).message, /newer\.node needs glibc 9\.34, this system has glibc 2\.\d+/);
});

t('says why a file that is no addon cannot be loaded', ({ home }) => {
  const file = join(home, 'text.node');
  writeFileSync(file, 'not an addon');
  const { code, message } = evaluate(home, configured(file));
  assert.is(code, 'ADDON_LOAD');
  assert.match(message, /text\.node cannot be loaded: .+/);
});

t('names the flag when the process may not load addons', ({ home }) => {
  const { code, message } = evaluate(home, configured(addon), { flags: ['--no-addons'] });
  assert.is(code, 'ADDON_LOAD');
  assert.match(message, 'start Node.js without --no-addons');
});

t('names the flag when the permission model forbids addons', ({ home }) => {
  const permission = process.allowedNodeEnvironmentFlags.has('--permission') ? '--permission' : '--experimental-permission';
  const { code, message } = evaluate(home, configured(addon), { flags: [permission, '--allow-fs-read=*'] });
  assert.is(code, 'ADDON_LOAD');
  assert.match(message, '--allow-addons');
});

t('finds the default model in the weights package', ({ home }) => {
  const weights = join(dirname(home), '@bertha-encoder', 'weights-all-minilm-l6-v2');
  mkdirSync(weights, { recursive: true });
  writeFileSync(join(weights, 'package.json'), '{"name":"@bertha-encoder/weights-all-minilm-l6-v2","version":"1.0.0"}');
  writeFileSync(join(weights, 'config.json'), '{}');
  assert.is(evaluate(home, 'defaultModelDirectory()').value, weights);
});

t('takes the most accurate of the weights packages that are installed', ({ home }) => {
  const install = (suffix: string): string => {
    const name = `weights-all-minilm-l6-v2${suffix}`;
    const weights = join(dirname(home), '@bertha-encoder', name);
    mkdirSync(weights, { recursive: true });
    writeFileSync(join(weights, 'package.json'), `{"name":"@bertha-encoder/${name}","version":"1.0.0"}`);
    writeFileSync(join(weights, 'config.json'), '{}');
    return weights;
  };
  for (const suffix of ['-int8', '-fp16', '']) {
    const weights = install(suffix);
    assert.is(evaluate(home, 'defaultModelDirectory()').value, weights);
  }
});

t('finds the default model in a checkout before the weights package', ({ home }) => {
  const weights = join(home, 'weights', 'all-MiniLM-L6-v2');
  mkdirSync(weights, { recursive: true });
  writeFileSync(join(weights, 'config.json'), '{}');
  assert.is(evaluate(home, 'defaultModelDirectory()').value, weights);
});

t('takes the default model from the folder that configure or BERTHA_MODEL_DIR names, and from no other', ({ home }) => {
  const [own, set] = [join(home, 'weights', 'all-MiniLM-L6-v2'), join(home, 'elsewhere')];
  for (const folder of [own, set]) {
    mkdirSync(folder, { recursive: true });
    writeFileSync(join(folder, 'config.json'), '{}');
  }
  const byOption = `(configure({ modelDirectory: ${JSON.stringify(set)} }), defaultModelDirectory())`;
  assert.is(evaluate(home, byOption, { env: { BERTHA_MODEL_DIR: own } }).value, set);
  assert.is(evaluate(home, 'defaultModelDirectory()', { env: { BERTHA_MODEL_DIR: set } }).value, set);
  const { code, message } = evaluate(home, 'defaultModelDirectory()', { env: { BERTHA_MODEL_DIR: join(home, 'dist') } });
  assert.is(code, 'MODEL_NOT_FOUND');
  assert.match(message, /for BERTHA_MODEL_DIR but received ".*dist", which has no config\.json\. Correct or remove it\./);
});

t('looks beside the program for a bundle, also where the working directory is gone, and says what to do', ({ home }) => {
  writeFileSync(join(home, 'package.json'), '{ "name": "app", "type": "module" }'); // what a bundle finds above itself
  const gone = join(home, 'gone');
  mkdirSync(gone);
  const elsewhere = `process.chdir(${JSON.stringify(gone)}), require('node:fs').rmdirSync(${JSON.stringify(gone)})`;
  const addonError = evaluate(home, `(${elsewhere}, loadAddon())`);
  assert.is(addonError.code, 'ADDON_LOAD');
  assert.match(addonError.message, /keep bertha-encoder out of the bundle[^]*or set BERTHA_ADDON/);
  const modelError = evaluate(home, 'defaultModelDirectory()');
  assert.is(modelError.code, 'MODEL_NOT_FOUND');
  assert.match(modelError.message, 'set BERTHA_MODEL_DIR');
  const project = join(home, 'project', 'node_modules', '@bertha-encoder', platform);
  mkdirSync(project, { recursive: true });
  copyFileSync(addon, join(project, 'bertha.node'));
  const inProject = `(process.chdir(${JSON.stringify(join(home, 'project'))}), loadAddon().builder)`;
  assert.is(evaluate(home, inProject).value, 'node-gyp');
});

t('says what to install when there is no default model', ({ home }) => {
  const { code, message } = evaluate(home, 'defaultModelDirectory()');
  assert.is(code, 'MODEL_NOT_FOUND');
  assert.match(message, 'npm install @bertha-encoder/weights-all-minilm-l6-v2');
});

t.run();
