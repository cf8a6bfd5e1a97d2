// Predicted times of few tokens: the products of a layer, and a whole text, most of which is launches.
import { memoryLatency } from './architectures.mjs';
import { models, partsOf } from './shapes.mjs';

/**
 * Microseconds of a product of few tokens, which come from memory: the most of what its blocks issue, of what memory delivers, and of the
 * round trips that a warp waits for, whose ring holds `stages` - 1 slabs under way.
 */
function microsecondsOfFew(gpu, rows, n, k, { cycles, columns, stages, slabs = Math.ceil(k / 32) }) {
  const compute = Math.ceil(Math.ceil(n / columns) / gpu.sms) * slabs * cycles;
  const waiting = (1 + slabs / (stages - 1)) * memoryLatency;
  const bytes = 2 * (n * k + rows * (n + k));
  return Math.max(Math.max(compute, waiting) / (gpu.gigahertz * 1e3), bytes / (gpu.bandwidth * 1e6));
}

/** By linear_small, or by linear_parts, whose block makes up to four parts at once. */
function microsecondsOfOwn(gpu, rows, n, k, { small, smallParts }) {
  const parts = partsOf(n, k);
  if (parts === 1) return microsecondsOfFew(gpu, rows, n, k, { cycles: small[rows], columns: 32, stages: 8 });
  const slabs = Math.ceil(k / 32 / parts) * Math.ceil(parts / 4);
  const cycles = (smallParts[rows] * Math.min(parts, 4)) / 4; // those of four warps
  return microsecondsOfFew(gpu, rows, n, k, { cycles, columns: 16, stages: rows === 32 ? 5 : 8, slabs });
}

/** The four products of a layer, and, for comparison, by linear_mma's smallest tile. */
export function linesOfFew(gpu, facts) {
  const lines = [`PREDICTED, not measured: ${gpu.name}, bf16, the products of a layer for few tokens, us (by the 64 x 64 tile)`];
  for (const { name, hidden } of models) {
    const shapes = { qkv: [3 * hidden, hidden], output: [hidden, hidden], up: [4 * hidden, hidden], down: [hidden, 4 * hidden] };
    for (const rows of [8, 32]) {
      const each = Object.entries(shapes).map(([what, [n, k]]) => {
        const other = microsecondsOfFew(gpu, rows, n, k, { cycles: facts.middle, columns: 64, stages: 4 });
        return `${what} ${microsecondsOfOwn(gpu, rows, n, k, facts).toFixed(1)} (${other.toFixed(1)})`;
      });
      lines.push(`  ${name.padEnd(17)} ${String(rows).padStart(2)} tokens: ${each.join('  ')}`);
    }
  }
  return lines;
}

/**
 * Estimates, all three: what a kernel of few tokens takes on the device with the boundary to the next (3 to 4 us; it takes 2 to 2.5 to
 * queue, which goes on meanwhile), two copies, and the end of the wait by sleeping (20 to 50 us) or by polling.
 */
const estimates = { kernel: 3.5, copies: 10, sleeping: 35, polling: 1 };
const seqLen = 128;

/** One text, from what it was to what it is, step by step. */
export function linesOfText(gpu) {
  const { kernel, copies, sleeping, polling } = estimates;
  const lines = [`PREDICTED from estimates, not measured: ${gpu.name}, one text of ${seqLen} tokens, us after each step (kernels)`];
  // Dependent rounds of loads, four at a time: all rows by one thread, then an eighth of them.
  const poolGain = ((seqLen - seqLen / 8) / 4) * (memoryLatency / (gpu.gigahertz * 1e3));
  for (const { name, layers, hidden } of models) {
    const addParts = (columns) => (partsOf(hidden, 4 * hidden, columns) > 1 ? layers : 0);
    // Embedding, LayerNorm, seven a layer, pooling, normalising, copying out.
    let kernels = 2 + 7 * layers + addParts(512) + 3;
    let time = kernels * kernel + copies + sleeping + poolGain;
    const steps = [`before ${time.toFixed(0)} (${kernels})`];
    const step = (what, fewer, gain = 0) => {
      kernels -= fewer;
      time -= fewer * kernel + gain;
      steps.push(`${what} ${time.toFixed(0)} (${kernels})`);
    };
    step('poll', 0, sleeping - polling);
    step('pool by warps', 0, poolGain);
    step('k cut by 1,024', addParts(512) - addParts(1024));
    step('parts in one kernel', addParts(1024));
    step('embed + LayerNorm', 1);
    step('pool + normalize, in place', 2);
    lines.push(`  ${name.padEnd(17)} ${steps.join('  ')}`);
  }
  return lines;
}
