// Predicted times: no GPU has run these kernels. A kernel takes as long as the slowest of what its machine code asks of an SM (cyclesOf),
// of all SMs together, or of the memory; what overlaps imperfectly, waits or is launched comes on top and is not in here.
import { gpus } from './architectures.mjs';
import { linesOfFew, linesOfText } from './few-tokens.mjs';
import { models, partsOf } from './shapes.mjs';

const tokens = 8192;
const length = 128;
const lengths = [16, 32, 64, 128, 512];
/** Instructions of a warp of attention before and after its steps: what it takes, its queries' copies, the context's way out. */
const aroundSteps = 250;
/** Instructions for 8 outputs of the epilogue in the machine code: load, bias, round, store. What GELU adds is counted. */
const plainEpilogue = 60;
/**
 * Cycles that a block alone on its SM loses in each slab: its warps have met at a barrier, so that nobody computes while they wait for the
 * first ldmatrix (29) and the last mma (33; both on A100, arXiv 2206.02874).
 */
const aloneLatency = 62;

/**
 * The lines of a table for the GPUs of `measured`: architecture → cycles of one slab: { slab: of the bulk tile, middle: of the 64 x 64 one,
 * small: of linear_small by rows (8, 16, 32), smallParts: of linear_parts }; parts: of the bulk tile that cuts k, { slab, part (what comes on top for each part), blocks
 * (per SM) }; step: of attention by head_dim (32, 64); and plainInstructions, geluInstructions of the bulk tile for 8 outputs of a thread
 * and all that both have in common.
 */
export function predict(measured) {
  const lines = [];
  for (const gpu of gpus) {
    const facts = measured.get(gpu.architecture);
    if (facts === undefined) continue;
    const seconds = (cycles) => cycles / (gpu.sms * gpu.gigahertz * 1e9);
    const perSm = (units) => Math.ceil(units / gpu.sms) * gpu.sms;
    const geluEpilogue = plainEpilogue + facts.geluInstructions - facts.plainInstructions;
    const linear = (n, k, { gelu = false, residual = false } = {}) => {
      const blocks = perSm(Math.ceil(tokens / 128) * Math.ceil(n / 128));
      const ending = ((128 * 128) / 8 / 32 / 4) * (gelu ? geluEpilogue : plainEpilogue);
      const slabs = Math.ceil(k / 32);
      const parts = partsOf(n, k);
      const { slab, part, blocks: together } = facts.parts;
      const sum = parts === 1 ? slabs * facts.slab : slabs * (slab + (together > 1 ? 0 : aloneLatency)) + parts * part;
      const compute = seconds(blocks * (sum + ending));
      const bytes = 2 * (tokens * k + n * k + tokens * n * (residual ? 2 : 1));
      return { time: Math.max(compute, bytes / (gpu.bandwidth * 1e12)), work: 2 * tokens * n * k, bytes };
    };
    const attention = (hidden, heads, of = length) => {
      // As attention_blocks.cc: texts of up to 64 tokens share the 4 warps of a block, each with its own keys alone.
      const warps = Math.ceil(of / 16);
      const blocks = of > 64 ? (tokens / of) * Math.ceil(of / 64) : tokens / of / Math.floor(4 / warps);
      const steps = of > 64 ? Math.ceil(of / 64) : warps / 4;
      const compute = seconds(perSm(Math.ceil(blocks) * heads) * (steps * facts.step[hidden / heads] + aroundSteps));
      const bytes = 2 * tokens * hidden * 4;
      return { time: Math.max(compute, bytes / (gpu.bandwidth * 1e12)), work: 4 * tokens * of * hidden, bytes };
    };
    const rows = (hidden, passes) => {
      const bytes = 2 * tokens * hidden * passes;
      return { time: bytes / (gpu.bandwidth * 1e12), work: 0, bytes };
    };
    lines.push(`PREDICTED, not measured: ${gpu.name}, bf16, ${tokens} tokens in texts of ${length}; us of a kernel (roofline)`);
    for (const { name, layers, hidden, heads } of models) {
      const layer = {
        qkv: linear(3 * hidden, hidden),
        attention: attention(hidden, heads),
        output: linear(hidden, hidden, { residual: true }),
        norms: rows(hidden, 4),
        up: linear(4 * hidden, hidden, { gelu: true }),
        down: linear(hidden, 4 * hidden, { residual: true }),
      };
      const roofline = ({ work, bytes }) => Math.max(work / (gpu.peak * 1e12), bytes / (gpu.bandwidth * 1e12));
      const all = Object.values(layer);
      const total = layers * all.reduce((sum, { time }) => sum + time, 0);
      const bound = layers * all.reduce((sum, each) => sum + roofline(each), 0);
      const work = layers * all.reduce((sum, each) => sum + each.work, 0);
      const micro = (time) => (time * 1e6).toFixed(1);
      const kernels = Object.entries(layer).map(([what, each]) => `${what} ${micro(each.time)} (${micro(roofline(each))})`);
      lines.push(`  ${name.padEnd(17)} ${kernels.join('  ')}`);
      const byLength = lengths.map((of) => `${of}: ${micro(attention(hidden, heads, of).time)}`);
      lines.push(`  ${''.padEnd(17)} attention of texts of ${byLength.join('  ')}`);
      const rate = `${(tokens / total / 1e6).toFixed(1)} M tokens/s, ${(work / total / 1e12).toFixed(0)} TFLOP/s`;
      lines.push(`  ${''.padEnd(17)} whole: ${(total * 1e3).toFixed(2)} ms (${(bound * 1e3).toFixed(2)} ms), ${rate}`);
    }
    lines.push(...linesOfFew(gpu, facts), ...linesOfText(gpu));
  }
  return lines;
}
