// Compiles bench/kernels.cc with the CPU kernels, by the compiler that CXX names and with the addon's flags, and runs it:
//   npm run bench:kernels -- [options, see bench/kernels.cc]       BERTHA_ISA chooses the instruction set
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename } from 'node:path';
import { inRoot, listFiles } from '../scripts/build/project.mjs';
import { compiler } from '../scripts/build/toolchain.mjs';
import { formatShares, judgeShares } from './shares.mjs';

const { variables: list } = JSON.parse(readFileSync(inRoot('native', 'sources.gypi'), 'utf8'));
const kernels = /^native\/cpu\/(isa\/|peak\.)/;
const sources = [...list.bertha_sources.filter((source) => kernels.test(source)), 'bench/kernels.cc', 'bench/kernels/backward.cc'];
const [command, ...commandFlags] = compiler().split(' ');
const folder = inRoot('build', 'bench', basename(command));
mkdirSync(folder, { recursive: true });

const time = (file) => (existsSync(file) ? statSync(file).mtimeMs : 0);
const headers = Math.max(
  ...listFiles('native')
    .filter((file) => file.endsWith('.h'))
    .map((file) => time(inRoot(file))),
);
const include = [...list.bertha_include, 'bench'].map((path) => `-I${inRoot(path)}`);
const objects = sources.map((source) => `${folder}/${basename(source)}.o`);
for (const [i, source] of sources.entries()) {
  if (time(objects[i]) > Math.max(headers, time(inRoot(source)))) continue;
  execFileSync(command, [...commandFlags, ...list.bertha_cflags, ...include, '-c', inRoot(source), '-o', objects[i]], { stdio: 'inherit' });
}
const program = `${folder}/kernels`;
execFileSync(command, [...commandFlags, ...objects, '-pthread', '-o', program], { stdio: 'inherit' });
const { status, stdout } = spawnSync(program, process.argv.slice(2), { stdio: ['ignore', 'pipe', 'inherit'], encoding: 'utf8' });
process.stdout.write(stdout + formatShares(judgeShares(stdout)));
process.exitCode = status ?? 1;
