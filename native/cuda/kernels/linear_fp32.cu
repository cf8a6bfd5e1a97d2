// output [m, n] = activation(input [m, k] · weightᵀ [n, k] + bias) + residual, all fp32, without tensor
// cores.
//
// A block of 256 threads makes a tile of 64 x 64, each thread 4 x 4 of it (rows and columns 16 apart), from
// slabs of 16 columns of k that cp.async brings while the last one is used. Rows in shared memory are 20
// floats apart: the eight 16-byte reads of a quarter warp then touch all 32 banks once. Sums run over k in
// order: a row's bits do not depend on m.
#include "cuda/device/epilogue.cuh"

namespace bertha::cuda {
namespace {

constexpr int kTile = 64;
constexpr int kSlab = 16;
constexpr int kRow = kSlab + 4;
constexpr int kStages = 3;
constexpr int kThreads = 256;
constexpr int kStageFloats = 2 * kTile * kRow;
// The sums pass through shared memory on their way out, so that a thread stores 8 columns of one row.
constexpr int kOutRow = kTile + 4;

template <typename Ending>
struct LinearFp32Params {
    Global<const float> input, weight;
    Ending epilogue;
    int64_t m;
    int32_t n, k, input_stride, weight_stride;
};

template <typename Params>
__device__ __forceinline__ void load_slab(const Params& p, const Shared<float>& stage, int32_t k_begin) {
    const int row = ptx::thread_index() / 4, column = ptx::thread_index() % 4 * 4;
    const int32_t left = p.k - k_begin - column;
    const int valid = left >= 4 ? 4 : left > 0 ? left : 0;
    const int64_t m = static_cast<int64_t>(ptx::block_y()) * kTile + row;
    const int64_t n = static_cast<int64_t>(ptx::block_x()) * kTile + row;
    const int valid_a = m < p.m ? valid : 0, valid_b = n < p.n ? valid : 0;
    const float* a = valid_a > 0 ? p.input.address(m * p.input_stride + k_begin + column, valid_a)
                                 : p.input.data;
    const float* b = valid_b > 0 ? p.weight.address(n * p.weight_stride + k_begin + column, valid_b)
                                 : p.weight.data;
    ptx::copy_async(stage.address(row * kRow + column, 4), a, 4 * valid_a);
    ptx::copy_async(stage.address((kTile + row) * kRow + column, 4), b, 4 * valid_b);
}

template <typename Ending>
__global__ void __launch_bounds__(kThreads, 1) linear_fp32_kernel(LinearFp32Params<Ending> p) {
    const Shared<float> shared = ptx::shared_memory<float>();
    const int tx = ptx::thread_index() % 16, ty = ptx::thread_index() / 16;
    float sums[4][4] = {};
    const int32_t slabs = (p.k + kSlab - 1) / kSlab;
    for (int stage = 0; stage < kStages - 1; stage++) {
        if (stage < slabs) load_slab(p, shared.part(stage * kStageFloats, kStageFloats), stage * kSlab);
        ptx::commit_copies();
    }
    for (int32_t slab = 0; slab < slabs; slab++) {
        ptx::wait_copies<kStages - 2>();
        ptx::sync_block();
        const int32_t next = slab + kStages - 1;
        if (next < slabs)
            load_slab(p, shared.part(next % kStages * kStageFloats, kStageFloats), next * kSlab);
        ptx::commit_copies();
        const Shared<float> stage = shared.part(slab % kStages * kStageFloats, kStageFloats);
#pragma unroll
        for (int k = 0; k < kSlab; k += 4) {
            Pack<float, 4> a[4], b[4];
#pragma unroll
            for (int i = 0; i < 4; i++) {
                a[i] = stage.load_pack<4>((ty + 16 * i) * kRow + k);
                b[i] = stage.load_pack<4>((kTile + tx + 16 * i) * kRow + k);
            }
#pragma unroll
            for (int step = 0; step < 4; step++)
#pragma unroll
                for (int i = 0; i < 4; i++)
#pragma unroll
                    for (int j = 0; j < 4; j++) sums[i][j] = fmaf(a[i].at[step], b[j].at[step], sums[i][j]);
        }
    }
    ptx::wait_copies<0>();
    ptx::sync_block();
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < 4; j++) shared.store((ty + 16 * i) * kOutRow + tx + 16 * j, sums[i][j]);
    ptx::sync_block();
    const int column = ptx::thread_index() % 8 * 8;
    const int32_t n = ptx::block_x() * kTile + column;
    const auto columns = p.epilogue.columns(n);
    for (int row = ptx::thread_index() / 8; row < kTile; row += kThreads / 8) {
        const int64_t m = static_cast<int64_t>(ptx::block_y()) * kTile + row;
        if (m >= p.m || n >= p.n) continue;
        float x[8];
        for (int j = 0; j < 8; j++) x[j] = shared.load(row * kOutRow + column + j);
        p.epilogue.finish(m, columns, x);
    }
}

template <typename Ending>
void launch_linear(const LinearArgs& args, const Ending& ending, Stream stream) {
    using Params = LinearFp32Params<Ending>;
    const Params params{global<const float>(args.input),
                        global<const float>(args.weight),
                        ending,
                        args.output.rows,
                        ending.n,
                        args.input.width,
                        args.input.stride,
                        args.weight.stride};
    Grid grid;
    grid.x = static_cast<int>(ceil_div(ending.n, kTile));
    grid.y = static_cast<int>(ceil_div(args.output.rows, kTile));
    grid.threads = kThreads;
    grid.shared_bytes = kStages * kStageFloats * sizeof(float);
    static_assert(kTile * kOutRow <= kStages * kStageFloats, "the sums fit where the slabs were");
    launch<Params, linear_fp32_kernel<Ending>>("linear_fp32", grid, stream, params);
}

}  // namespace

void linear_fp32(const LinearArgs& args, Stream stream) {
    with_epilogue<float>(args, [&](const auto& ending) { launch_linear(args, ending, stream); });
}

void linear(const LinearArgs& args, Stream stream) {
    if (args.input.type == Type::kFloat) return linear_fp32(args, stream);
    const bool small = is_small(args.output.rows, args.weight.rows, args.input.width);
    small ? linear_small(args, stream) : linear_mma(args, stream);
}

}  // namespace bertha::cuda
