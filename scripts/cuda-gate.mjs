// Compiles every kernel with nvcc and reads what came of it; needs no GPU.   node scripts/cuda-gate.mjs [all | sm_80 sm_90 ...]
// Fails on a compiler error; on spilled registers in any kernel, or local memory in a hot one; on more shared memory than a block may have; on a hot loop
// without its instructions; on a bulk tile with 2,600 instructions or more; and where, in the bulk tile on sm_80, the tensor cores' cycles are
// less than 0.85 of the largest of tensor, shared memory and issue. With sm_90 goes the probe (test/native/cuda/probe.cu) for sm_90a. Prints registers, instructions, occupancy, cycles and predicted times.
// Without nvcc it says so and passes.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { inRoot } from './build/project.mjs';
import { cudaCompiler } from './build/toolchain.mjs';
import { limits, occupancy, tensorRate } from './cuda/architectures.mjs';
import { describeKernel } from './cuda/kernels.mjs';
import { cyclesOf, disassemble, findNvdisasm, holds, hotLoop, localAccesses, withoutAdditions } from './cuda/machine-code.mjs';
import { predict } from './cuda/predict.mjs';

const kLeastTensorShare = 0.85;
/** An SM's instruction caches hold about this much; a bulk tile that outgrows them waits for its own code. */
const kMostInstructionsOfBulk = 2600;

const { variables } = JSON.parse(readFileSync(inRoot('native', 'sources.gypi'), 'utf8'));
const known = variables.bertha_cuda_gencode.map((flag) => /sm_\d+/.exec(flag)[0]);
const wanted = process.argv.length > 2 ? process.argv.slice(2) : ['sm_80', 'sm_90'];
const architectures = wanted[0] === 'all' ? known : wanted;
for (const architecture of architectures) {
  if (!known.includes(architecture)) throw new Error(`Expected all or some of ${known.join(', ')} but received ${architecture}.`);
}
const nvcc = cudaCompiler();
if (nvcc === undefined) {
  process.stdout.write('skipped: there is no nvcc (set CUDACXX or PATH)\n');
  process.exit(0);
}
const nvdisasm = findNvdisasm();
const folder = mkdtempSync(join(tmpdir(), 'bertha-gate-'));
const measured = new Map(architectures.map((architecture) => [architecture, { step: {}, small: {}, smallParts: {} }]));
let failures = 0;

function complain(what) {
  failures++;
  process.stdout.write(`FAILED  ${what}\n`);
}

/** Compiles to a cubin and returns what ptxas said. */
function compile(architecture, source, cubin) {
  const flags = variables.bertha_cuda_flags.filter((flag) => !flag.startsWith('--compress'));
  // -arch=sm_90a would compile for plain sm_90 as well, which has no wgmma.
  const target = `-gencode=arch=${architecture.replace('sm', 'compute')},code=${architecture}`;
  const include = ['native', 'test/native'].map((folder) => `-I${inRoot(folder)}`);
  const args = [...flags, target, '-Xptxas', '-v', ...include, '-cubin', inRoot(source), '-o', cubin];
  return new Promise((resolve, reject) => {
    const child = spawn(nvcc, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    let log = '';
    for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (log += text));
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, log }));
  });
}

/** ptxas' figures by kernel. */
function figuresOf(log) {
  const figures = new Map();
  let current = {};
  for (const line of log.split('\n')) {
    const start = /Compiling entry function '(\w+)'/.exec(line);
    if (start !== null) figures.set(start[1], (current = {}));
    const memory = /(\d+) bytes stack frame, (\d+) bytes spill stores, (\d+) bytes spill loads/.exec(line);
    if (memory !== null) Object.assign(current, { stack: Number(memory[1]), spilled: Number(memory[2]) + Number(memory[3]) });
    const registers = /Used (\d+) registers/.exec(line);
    if (registers !== null) current.registers = Number(registers[1]);
  }
  return figures;
}

function judge(architecture, mangled, { registers, stack, spilled }, code) {
  const kernel = describeKernel(mangled, architecture);
  const { title, shared, threads, hot } = kernel;
  const generation = architecture.replace(/a$/, '');
  const { blocks, share } = occupancy(generation, { registers, threads, shared });
  if (spilled > 0 || (stack > 0 && hot !== undefined)) complain(`${architecture} ${title}: ${spilled} bytes of spills, ${stack} of stack`);
  if (shared > limits[generation].sharedOfBlock) complain(`${architecture} ${title}: ${shared} bytes of shared memory`);
  if (blocks < 1) complain(`${architecture} ${title}: no block fits an SM`);
  const instructions = code?.filter(({ op }) => op !== undefined).length;
  if (kernel.isBulk && instructions >= kMostInstructionsOfBulk) complain(`${architecture} ${title}: ${instructions} instructions`);
  let cycles = '';
  if (hot !== undefined && code !== undefined && !(kernel.type === 'bf16' && architecture === 'sm_75')) {
    const loop = hotLoop(code, hot[0], hot.at(-1), kernel.leastProducts);
    const missing = loop === undefined ? hot : hot.filter((op) => !holds(loop, op));
    if (missing.length > 0) complain(`${architecture} ${title}: no ${missing.join(', ')} in the hot loop`);
    if (loop !== undefined) {
      if (localAccesses(loop) > 0) complain(`${architecture} ${title}: local memory in the hot loop`);
      // What a loop over parts of k does once a part, it does not do in each slab.
      const inner = kernel.isInParts ? withoutAdditions(loop) : loop;
      const cost = cyclesOf(inner, threads / 32, tensorRate[generation]);
      const largest = Math.max(cost.tensor, cost.shared, cost.issue);
      if (hot[0] === 'HMMA') {
        const { tensor, shared, issue } = cost;
        const tensorShare = tensor / largest;
        const rounded = [tensor, shared, issue].map((value) => value.toFixed(0).padStart(5)).join(' /');
        cycles = `  tensor / shared / issue ${rounded}: ${tensorShare.toFixed(2)}`;
        if (kernel.isBulk && !kernel.isInParts && architecture === 'sm_80' && tensorShare < kLeastTensorShare) {
          complain(
            `${architecture} ${title}: the tensor cores are busy ${tensorShare.toFixed(2)} of the time, expected ${kLeastTensorShare}`,
          );
        }
      }
      const facts = measured.get(architecture);
      if (kernel.isBulk && kernel.type === 'bf16' && kernel.isPlain) {
        if (kernel.isInParts) facts.parts = { slab: largest, part: ((threads / 32) * (loop.length - inner.length)) / 4, blocks };
        else Object.assign(facts, { slab: largest, plainInstructions: instructions / kernel.passes });
      }
      if (kernel.isBulk && kernel.type === 'bf16' && kernel.isGelu) facts.geluInstructions = instructions / kernel.passes;
      // Its loop may take several slabs: 16 columns of k a product, of 16 x 8.
      const slabs = loop.filter(({ op }) => op.startsWith('HMMA')).length / kernel.leastProducts;
      if (kernel.tile?.m === 64 && kernel.type === 'bf16' && kernel.isPlain) facts.middle = largest;
      if (kernel.small !== undefined && kernel.type === 'bf16') facts.small[kernel.small] = largest / slabs;
      if (kernel.smallParts !== undefined && kernel.type === 'bf16') facts.smallParts[kernel.smallParts] = largest / slabs;
      if (kernel.dim !== undefined && kernel.type === 'bf16') facts.step[kernel.dim] = Math.max(largest, cost.special);
    }
  }
  const place = `${blocks} blocks/SM, ${(100 * share).toFixed(0).padStart(3)} % of warps`;
  const size = `${String(registers).padStart(3)} registers ${String(instructions ?? '?').padStart(5)} instructions ${String(shared).padStart(6)} B shared`;
  process.stdout.write(`${architecture.padEnd(6)} ${title.padEnd(46)} ${size}  ${place}${cycles}\n`);
}

async function gate(architecture, source) {
  const cubin = join(folder, `${architecture}-${basename(source)}.cubin`);
  const { code, log } = await compile(architecture, source, cubin);
  if (code !== 0) return complain(`${architecture} ${source} does not compile:\n${log}`);
  for (const warning of log.split('\n').filter((line) => /warning|C75\d\d/.test(line))) complain(`${architecture} ${source}: ${warning}`);
  const functions = nvdisasm === undefined ? new Map() : disassemble(nvdisasm, cubin);
  for (const [mangled, figures] of figuresOf(log)) judge(architecture, mangled, figures, functions.get(mangled));
  rmSync(cubin);
}

if (nvdisasm === undefined) process.stdout.write('no nvdisasm (PATH, or nvidia-cuda-nvdisasm from PyPI): the machine code is not read\n');
const queue = architectures.flatMap((architecture) => variables.bertha_cuda_sources.map((source) => [architecture, source]));
if (architectures.includes('sm_90')) queue.push(['sm_90a', 'test/native/cuda/probe.cu']);
queue.sort(([, a], [, b]) => Number(/linear_(mma|small|parts)/.test(b)) - Number(/linear_(mma|small|parts)/.test(a)));
await Promise.all(
  Array.from({ length: Math.min(4, availableParallelism()) }, async () => {
    for (let next = queue.shift(); next !== undefined; next = queue.shift()) await gate(...next);
  }),
);
rmSync(folder, { recursive: true });
if (nvdisasm !== undefined && failures === 0) for (const line of predict(measured)) process.stdout.write(`${line}\n`);
process.stdout.write(`${architectures.join(', ')}: ${failures} failures\n`);
process.exitCode = failures > 0 ? 1 : 0;
