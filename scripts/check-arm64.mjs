// `npm run check:arm64`: compiles native/engine and native/cpu for arm64 with a cross compiler, which shows that everything but the
// scalar kernels stands behind its instruction set. AARCH64_CXX names the compiler (default aarch64-linux-gnu-g++).
import { spawn } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { inRoot } from './build/project.mjs';
import { findCommand } from './build/toolchain.mjs';

const compiler = process.env.AARCH64_CXX || 'aarch64-linux-gnu-g++';
if (findCommand(compiler) === undefined) {
  process.stderr.write(
    `Expected the cross compiler ${compiler} but did not find it. Debian, Ubuntu: apt-get install g++-aarch64-linux-gnu\n`,
  );
  process.exit(1);
}

const { variables } = JSON.parse(readFileSync(inRoot('native', 'sources.gypi'), 'utf8'));
const sources = variables.bertha_sources.filter((source) => /^native\/(engine|cpu)\//.test(source));
const output = inRoot('build', 'arm64');
rmSync(output, { recursive: true, force: true });
mkdirSync(output, { recursive: true });
const options = [...variables.bertha_cflags, '-Werror', ...variables.bertha_include.map((folder) => `-I${folder}`)];

function compile(source) {
  const object = join(output, `${basename(source, '.cc')}.o`);
  const child = spawn(compiler, [...options, '-c', source, '-o', object], { cwd: inRoot(), stdio: ['ignore', 'inherit', 'inherit'] });
  return new Promise((resolve) => child.on('close', (code) => resolve(code === 0)));
}

let compiled = 0;
const queue = [...sources];
const worker = async () => {
  for (let source = queue.shift(); source !== undefined; source = queue.shift()) if (await compile(source)) compiled++;
};
await Promise.all(Array.from({ length: availableParallelism() }, worker));
process.stdout.write(`${compiled} of ${sources.length} files of native/engine and native/cpu compile for arm64\n`);
process.exitCode = compiled === sources.length ? 0 : 1;
