// The kernels as the compiler names them: what they are called here, how a launch sets them up, what their hot loop must hold.

const numbers = (name) => [...name.matchAll(/Li(\d+)E/g)].map((match) => Number(match[1]));
const typesOf = (name) => [...name.matchAll(/8Bfloat16|4Half/g)].map(([type]) => (type === '4Half' ? 'fp16' : 'bf16'))[0] ?? 'fp32';

/** Instructions by what they do: HMMA multiplies on the tensor cores, LDSM is ldmatrix, LDGSTS is cp.async (sm_75: plain loads and stores). */
const copies = (architecture) => (architecture === 'sm_75' ? ['LDG', 'STS'] : ['LDGSTS']);

/** The kernels of test/native/cuda/probe.cu: threads, shared memory where it is more than little, and what the hot loop must hold. */
const probes = {
  bits_kernel: { threads: 128, hot: ['HGMMA', 'HMMA'], leastProducts: 1 },
  wgmma_rate_kernel: { threads: 256, shared: 384 * 128 + 1024, hot: ['HGMMA'], leastProducts: 4 },
  mma_rate_kernel: { threads: 256, hot: ['HMMA'], leastProducts: 8 },
  barrier_kernel: { threads: 256 },
  cluster_kernel: { threads: 384, shared: 200 << 10 },
  copy_kernel: { threads: 512 },
};

/**
 * { title, threads, shared (bytes of a launch), hot (instructions that the hot loop must hold), ... } of a mangled name; undefined hot
 * for kernels without a loop worth a look. The numbers are those of launch_tile, launch_dim and the like in native/cuda. passes: how many
 * copies of the epilogue a linear_mma kernel holds, one for 16 rows of a warp.
 */
export function describeKernel(mangled, architecture) {
  const name =
    /\d((?:linear|attention|turn|activate|slice|unfold|reduce|layer|add|top|pick|embed|gather|pool|normalize|compact)[a-z_0-9]*_kernel)/.exec(
      mangled,
    )?.[1];
  const probe = /5probe.*?\d([a-z_]+_kernel)/.exec(mangled)?.[1];
  if (probe !== undefined) return { title: `probe ${probe.replace('_kernel', '')}`, shared: 0, threads: 128, ...probes[probe] };
  if (name === undefined) return { title: mangled, shared: 0, threads: 128 };
  const type = typesOf(mangled);
  const list = numbers(mangled);
  const activations = { 0: '', 1: ' gelu', 2: ' any activation', 3: ' gelu or silu' }[/11ActivationsE(\d)E/.exec(mangled)?.[1]] ?? '';
  const gated = mangled.includes('GatedEpilogue') ? ' gated' : '';
  const output = mangled.includes('EpilogueIf') && type !== 'fp32' ? ' to fp32' : '';
  if (name === 'linear_mma_kernel') {
    const [m, n, warpM, warpN] = list;
    const isInParts = /Lb1E/.test(mangled);
    return {
      title: `linear_mma ${type}${output}${gated}${activations} ${m}x${n}${isInParts && activations === '' ? ' in parts' : ''}`,
      shared: 4 * (m + n) * 32 * 2,
      threads: (m / warpM) * (n / warpN) * 32,
      hot: ['HMMA', 'LDSM', ...copies(architecture)],
      tile: { m, n },
      passes: warpM / 16,
      isBulk: m === 128,
      isInParts,
      isPlain: activations === '' && output === '',
      isGelu: activations === ' gelu',
      type,
    };
  }
  if (name === 'linear_small_kernel') {
    const [rows] = list;
    const ending = `${output}${gated}${activations}`;
    return {
      title: `linear_small ${type}${ending} ${rows}x32`,
      shared: 8 * (32 + rows) * 32 * 2,
      threads: 64,
      hot: ['HMMA', 'LDSM', ...copies(architecture)],
      leastProducts: rows / 4,
      small: ending === '' ? rows : undefined,
      type,
    };
  }
  if (name === 'linear_parts_kernel') {
    const [columns, rows] = list;
    const stages = rows < 32 ? 8 : columns < 32 ? 5 : 4;
    return {
      title: `linear_parts ${type}${output}${gated}${activations} ${rows}x${columns}`,
      shared: 4 * stages * (columns + rows) * 32 * 2,
      threads: 128,
      hot: ['HMMA', 'LDSM', ...copies(architecture)],
      leastProducts: ((columns / 16) * rows) / 4,
      smallParts: output === '' && activations === '' && columns === 16 ? rows : undefined,
      type,
    };
  }
  if (name === 'attention_mma_kernel') {
    const [dim, keys] = list;
    const isByDistance = mangled.includes('Lb1E');
    return {
      title: `attention_mma ${type} head_dim ${dim}${isByDistance ? ' by distance' : ''}`,
      shared: (64 + 4 * keys) * dim * 2,
      threads: 128,
      hot: ['HMMA', 'LDSM', 'MUFU', ...copies(architecture)],
      keys,
      dim: isByDistance ? undefined : dim,
      type,
    };
  }
  if (name === 'linear_fp32_kernel') {
    return {
      title: `linear_fp32${gated}${activations}`,
      shared: 3 * 2 * 64 * 20 * 4,
      threads: 256,
      hot: ['FFMA', 'LDS', ...copies(architecture)],
    };
  }
  if (name === 'attention_fp32_kernel') {
    const isDisentangled = mangled.includes('Lb1E');
    const rows = isDisentangled ? 127 : 80;
    return {
      title: `attention_fp32 ${type}${isDisentangled ? ' disentangled' : ''}`,
      shared: rows * 129 * 4,
      threads: 128,
      hot: ['FFMA', 'LDS'],
    };
  }
  if (name === 'pool_kernel') return { title: `pool ${type}`, shared: 4 * (2 * 8 * 128 + 1024), threads: 512 };
  if (name === 'reduce_products_kernel') return { title: 'pool_linear', shared: 8 * 32 * 4, threads: 256 };
  const threads = /^(top|pick)/.test(name) ? 256 : 128;
  return { title: `${name.replace('_kernel', '')} ${type}${activations}`, shared: threads === 256 ? 64 : 0, threads };
}
