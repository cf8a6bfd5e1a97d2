// Compiles every kernel with nvcc and reads what the compiler says of it; needs no GPU.   node scripts/cuda-gate.mjs [sm_80 sm_90 ...]
// Fails on an error, on spilled registers, on local memory in a kernel that is hot, and on more shared memory than a block may have.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { inRoot } from './build/project.mjs';
import { cudaCompiler } from './build/toolchain.mjs';

const { variables } = JSON.parse(readFileSync(inRoot('native', 'sources.gypi'), 'utf8'));
const known = variables.bertha_cuda_gencode.map((flag) => /sm_\d+/.exec(flag)[0]);
const wanted = process.argv.length > 2 ? process.argv.slice(2) : ['sm_80', 'sm_90'];
const architectures = wanted[0] === 'all' ? known : wanted;
for (const architecture of architectures) {
  if (!known.includes(architecture)) throw new Error(`Expected all or some of ${known.join(', ')} but received ${architecture}.`);
}
const nvcc = cudaCompiler();
if (nvcc === undefined) throw new Error('Expected nvcc (set CUDACXX or PATH) but did not find it.');
const folder = mkdtempSync(join(tmpdir(), 'bertha-gate-'));
const hot = /linear_mma_kernel|attention_mma_kernel|linear_fp32_kernel|layer_norm_kernel|attention_fp32_kernel/;
let failures = 0;

function judge(architecture, source, log) {
  let kernel = '';
  let local = '';
  for (const line of log.split('\n')) {
    kernel = /Compiling entry function '(\w+)'/.exec(line)?.[1] ?? kernel;
    const memory = /(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line);
    if (memory !== null) {
      local = Number(memory[2]) + Number(memory[3]) > 0 ? 'SPILLS' : Number(memory[1]) > 0 && hot.test(kernel) ? 'LOCAL MEMORY' : '';
      if (local !== '') failures++;
    }
    const registers = /Used (\d+) registers/.exec(line)?.[1];
    if (registers === undefined) continue;
    const name = /\d([a-z_0-9]*_kernel)/.exec(kernel)?.[1] ?? kernel;
    process.stdout.write(
      `${architecture} ${basename(source, '.cu').padEnd(15)} ${name.padEnd(28)} ${registers.padStart(3)} registers ${local}\n`,
    );
  }
}

for (const architecture of architectures) {
  for (const source of variables.bertha_cuda_sources) {
    const number = architecture.slice('sm_'.length);
    const args = [
      ...variables.bertha_cuda_flags,
      `-gencode=arch=compute_${number},code=${architecture}`,
      '-Xptxas',
      '-v',
      `-I${inRoot('native')}`,
    ];
    const object = join(folder, 'gate.o');
    const { status, stderr, stdout } = spawnSync(nvcc, [...args, '-c', inRoot(source), '-o', object], { encoding: 'utf8' });
    judge(architecture, source, stderr + stdout);
    if (status === 0) continue;
    failures++;
    process.stdout.write(`${architecture} ${source} does not compile:\n${stderr}\n`);
  }
}
rmSync(folder, { recursive: true });
process.stdout.write(`${architectures.join(', ')}: ${failures} failures\n`);
process.exitCode = failures > 0 ? 1 : 0;
