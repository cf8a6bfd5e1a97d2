// What each architecture has, per SM unless said otherwise.
// Limits: CUDA C++ Programming Guide, "Compute Capabilities". Tensor rates (fp16 products summed in fp32, dense): the whitepapers of Turing,
// A100, GA102, Ada, H100 and RTX Blackwell. Hopper's and datacenter Blackwell's full rate needs wgmma or tcgen05; mma.sync, which these kernels
// use, reaches 63 % of it on Hopper (arXiv 2402.13499), which is taken for both.

/** registers: 65,536 everywhere, dealt out to warps 256 at a time. shared: bytes per SM and per block; reserved: bytes a block costs besides. */
export const limits = {
  sm_75: { warps: 32, blocks: 16, shared: 64 << 10, sharedOfBlock: 64 << 10, reserved: 0 },
  sm_80: { warps: 64, blocks: 32, shared: 164 << 10, sharedOfBlock: 163 << 10, reserved: 1024 },
  sm_86: { warps: 48, blocks: 16, shared: 100 << 10, sharedOfBlock: 99 << 10, reserved: 1024 },
  sm_89: { warps: 48, blocks: 24, shared: 100 << 10, sharedOfBlock: 99 << 10, reserved: 1024 },
  sm_90: { warps: 64, blocks: 32, shared: 228 << 10, sharedOfBlock: 227 << 10, reserved: 1024 },
  sm_100: { warps: 64, blocks: 32, shared: 228 << 10, sharedOfBlock: 227 << 10, reserved: 1024 },
  sm_120: { warps: 48, blocks: 24, shared: 100 << 10, sharedOfBlock: 99 << 10, reserved: 1024 },
};

/** Multiply-adds of the tensor cores per cycle by mma.sync. Shared memory moves 128 bytes, four schedulers issue one instruction each. */
export const tensorRate = { sm_75: 512, sm_80: 1024, sm_86: 512, sm_89: 512, sm_90: 1290, sm_100: 1290, sm_120: 512 };

/** Cycles from a load's issue to its value from global memory: 466 on A100, 479 on H100 (arXiv 2402.13499). */
export const memoryLatency = 470;

/** GPUs to predict for: data sheets of NVIDIA. `peak` and `bandwidth` in units of 1e12 per second. */
export const gpus = [
  { name: 'A100 SXM 80 GB', architecture: 'sm_80', sms: 108, gigahertz: 1.41, peak: 312, bandwidth: 2.04 },
  { name: 'H100 SXM', architecture: 'sm_90', sms: 132, gigahertz: 1.83, peak: 989, bandwidth: 3.35 },
];

/** Blocks of a kernel that fit an SM, and the share of its warps that they make. */
export function occupancy(architecture, { registers, threads, shared }) {
  const limit = limits[architecture];
  const warps = threads / 32;
  const registersOfBlock = Math.ceil((registers * 32) / 256) * 256 * warps;
  const blocks = Math.floor(
    Math.min(limit.blocks, limit.warps / warps, 65536 / registersOfBlock, limit.shared / Math.max(1, shared + limit.reserved)),
  );
  return { blocks, share: (blocks * warps) / limit.warps };
}
