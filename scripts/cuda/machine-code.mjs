// Reads nvdisasm's listing: the hot loop of each kernel and what it costs.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { inRoot } from '../build/project.mjs';
import { findCommand } from '../build/toolchain.mjs';

const tools = inRoot('build', 'tools');
const packages = ['nvidia-cuda-nvdisasm', 'nvidia-cuda-cuobjdump'];

/** nvdisasm from PATH, else from PyPI into build/tools; undefined where neither can be had. */
export function findNvdisasm() {
  const installed = ['cu13', 'cu12'].map((name) => `${tools}/nvidia/${name}/bin/nvdisasm`);
  const found = () =>
    ['nvdisasm', ...installed].find((name) => findCommand(name) !== undefined && (!name.includes('/') || existsSync(name)));
  if (found() === undefined) {
    spawnSync('python3', ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '--target', tools, ...packages]);
  }
  return found();
}

/** The instructions of each function of a cubin: mangled name → [{ label } or { op, text }]. */
export function disassemble(nvdisasm, cubin) {
  const { status, stdout, stderr } = spawnSync(nvdisasm, ['-c', cubin], { encoding: 'utf8', maxBuffer: 1 << 30 });
  if (status !== 0) throw new Error(`Expected nvdisasm to read ${cubin} but it failed: ${stderr}`);
  const functions = new Map();
  let code;
  for (const line of stdout.split('\n')) {
    const start = /^\.text\.(\S+):/.exec(line);
    if (start !== null) functions.set(start[1], (code = []));
    const label = /^(\.L_x_\d+):/.exec(line);
    if (label !== null) code?.push({ label: label[1] });
    const instruction = /^\s+\/\*[0-9a-f]{4,}\*\/\s+(?:@!?U?P\w+\s+)?([A-Z][\w.]*)(.*?);/.exec(line);
    if (instruction !== null) code?.push({ op: instruction[1], text: instruction[2], isIdle: /@!U?PT\s/.test(line) });
  }
  return functions;
}

/**
 * The loop that is densest in `product` (at least `least` of it) among those that copy what comes next, by `copy`; as a list of
 * instructions, undefined where there is none.
 */
export function hotLoop(code, product, copy, least = 8) {
  const place = new Map(code.flatMap(({ label }, i) => (label === undefined ? [] : [[label, i]])));
  let best;
  for (const [end, { op, text }] of code.entries()) {
    if (!op?.startsWith('BRA')) continue;
    const start = place.get(/(\.L_x_\d+)/.exec(text)?.[1]);
    if (start === undefined || start >= end) continue;
    const loop = code.slice(start, end + 1).filter((each) => each.op !== undefined);
    const products = loop.filter((each) => each.op.startsWith(product)).length;
    const isMeant = products >= least && loop.some((each) => each.op.startsWith(copy));
    const density = isMeant ? products / loop.length : 0;
    if (density > (best?.density ?? 0)) best = { density, loop };
  }
  return best?.loop;
}

const count = (loop, pattern) => loop.filter(({ op }) => pattern.test(op)).length;

/**
 * Cycles of an SM for one round of a hot loop by all warps of a block:
 *   tensor = HMMA x 16·8·k multiply-adds / the tensor cores' rate
 *   shared = bytes through shared memory / 128 (ldmatrix.x4: 512 a warp, a 16-byte access of each lane: 512, a 4-byte one: 128)
 *   issue  = instructions / 4 schedulers
 */
export function cyclesOf(loop, warps, rate) {
  const products = loop.filter(({ op }) => op.startsWith('HMMA'));
  const multiplied = products.reduce((sum, { op }) => sum + 16 * 8 * Number(/^HMMA\.168(16|8)/.exec(op)[1]), 0);
  const wide = count(loop, /^(LDSM.*|LDGSTS.*|(LDS|STS)\..*128)$/) * 512;
  const narrow = count(
    loop.filter(({ isIdle }) => !isIdle),
    /^(LDS|STS)(?!M)(?!.*128)/,
  );
  return {
    tensor: (warps * multiplied) / rate,
    shared: (warps * (wide + 128 * narrow)) / 128,
    issue: (warps * loop.length) / 4,
    special: (warps * count(loop, /^MUFU/) * 32) / 16,
  };
}

/** A loop without what adds a part of k to the total and clears its sums, once a part: of floating-point adds its products need none. */
export const withoutAdditions = (loop) => loop.filter(({ op }) => !/^(FADD|CS2R)/.test(op));

/** Local memory that a loop touches: spilled registers or arrays. */
export const localAccesses = (loop) => count(loop, /^(LDL|STL)/);
/** Whether a loop holds instruction `op`. */
export const holds = (loop, op) => count(loop, new RegExp(`^${op}\\b`)) > 0;
