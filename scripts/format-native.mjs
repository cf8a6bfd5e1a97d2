// Formats the C++ and CUDA sources with clang-format, as .clang-format says.   node scripts/format-native.mjs [--check]
// Versions of clang-format differ in details, so one is pinned; it comes from PyPI into build/tools unless CLANG_FORMAT or PATH offers it.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { inRoot, listFiles } from './build/project.mjs';
import { findCommand } from './build/toolchain.mjs';

const version = '19.1.7';
const tools = inRoot('build', 'tools');
const installed = inRoot('build', 'tools', 'bin', 'clang-format');

function isRightVersion(command) {
  const { stdout } = spawnSync(command, ['--version'], { encoding: 'utf8', env: { ...process.env, PYTHONPATH: tools } });
  return stdout?.includes(`version ${version}`) ?? false;
}

function findClangFormat() {
  const candidates = [process.env.CLANG_FORMAT, 'clang-format', 'clang-format-19', installed].filter(
    (name) => name && findCommand(name) !== undefined,
  );
  const found = candidates.find(isRightVersion);
  if (found !== undefined) return found;
  process.stderr.write(`installing clang-format ${version} into build/tools\n`);
  const args = [
    '-m',
    'pip',
    'install',
    '--quiet',
    '--disable-pip-version-check',
    '--target',
    tools,
    '--upgrade',
    `clang-format==${version}`,
  ];
  const result = spawnSync('python3', args, { encoding: 'utf8' });
  if (result.status === 0 && existsSync(installed)) return installed;
  throw new Error(
    `Expected clang-format ${version} (set CLANG_FORMAT, or: python3 -m pip install clang-format==${version}) but found none.\n${result.stderr ?? ''}`,
  );
}

const check = process.argv.includes('--check');
const files = listFiles('native').filter((file) => /\.(?:cc|h|cu|cuh)$/.test(file));
const mode = check ? ['--dry-run', '--Werror'] : ['-i'];
const result = spawnSync(findClangFormat(), [...mode, '--style=file', ...files], {
  cwd: inRoot(),
  encoding: 'utf8',
  env: { ...process.env, PYTHONPATH: tools },
});
const wrong = new Set([...result.stderr.matchAll(/^(native\/\S+?):\d+/gm)].map((match) => match[1]));
for (const file of wrong) process.stdout.write(`${file} is not formatted: npm run format\n`);
if (result.status !== 0 && wrong.size === 0) process.stdout.write(result.stderr);
process.stdout.write(`${files.length} native files, ${wrong.size} to format\n`);
process.exitCode = result.status ?? 1;
