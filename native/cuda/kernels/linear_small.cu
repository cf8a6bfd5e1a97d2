// output [m, n] = activation(input [m, k] · weightᵀ [n, k] + bias) + residual for few rows, on the tensor
// cores: fp16 or bf16 operands, fp32 sums. linear_mma.cu makes the same product, bit for bit, for many rows.
//
// The weights are the first, 16-wide operand of mma.m16n8k16 and the input the second, 8-wide one, so that 8
// tokens fill what takes 16 rows of input in linear_mma.cu; the block computes a piece of outputᵀ. A product
// is the same with its factors exchanged and k keeps its order, so that a row has the same bits in both.
//
// Tiles: 32 rows of the weights, by two warps of 16, x 8, 16 or 32 rows of input (32 alone where the
// activation is rare). Such products take as long
// as the weights take to arrive: blocks are narrow, so that there are many, and 8 stages of slabs are under
// way.
//
// For long k the sum is cut into k_parts(n, k) parts: linear_parts.cu.
#include "cuda/device/epilogue.cuh"
#include "cuda/device/slabs.cuh"

namespace bertha::cuda {
namespace {

constexpr int kColumns = 32;  // of the output, rows of the weights
constexpr int kThreads = kColumns / 16 * 32;
constexpr int kStages = 8;
constexpr int64_t kPartColumns = 1024;         // of k, at least
constexpr int64_t kMostRows = 64;              // beyond, the middle tile of linear_mma.cu reuses more
constexpr int64_t kMostRowsWhenInParts = 128;  // beyond, blocks are plenty without

template <typename T, typename Ending>
struct LinearSmallParams {
    Global<const T> input, weight;
    Ending ending;
    int64_t m;
    int32_t n, k, input_stride, weight_stride;
};

template <typename T, typename Ending, int kRows>
__global__ void __launch_bounds__(kThreads) linear_small_kernel(LinearSmallParams<T, Ending> p) {
    constexpr int kStage = (kColumns + kRows) * kSlab;
    const Shared<T> ring = ptx::shared_memory<T>();
    const int lane = ptx::lane_id();
    const int64_t row_begin = static_cast<int64_t>(ptx::block_y()) * kRows;
    const int64_t column_begin = static_cast<int64_t>(ptx::block_x()) * kColumns;
    const int32_t slabs = (p.k + kSlab - 1) / kSlab;

    const SlabCopies<T, kColumns, kThreads> weight_copies(p.weight, column_begin, p.n, p.weight_stride, p.k);
    const SlabCopies<T, kRows, kThreads> input_copies(p.input, row_begin, p.m, p.input_stride, p.k);
    const auto stage_of = [&](int32_t slab) { return ring.part(slab % kStages * kStage, kStage); };
    const auto load = [&](int32_t slab) {
        weight_copies.start(slab, stage_of(slab).part(0, kColumns * kSlab));
        input_copies.start(slab, stage_of(slab).part(kColumns * kSlab, kRows * kSlab));
    };
    // Of the weights 16 rows and 16 columns at a time, of the input 8 rows and the whole slab.
    int weight_place[kSlab / 16];
#pragma unroll
    for (int step = 0; step < kSlab / 16; step++)
        weight_place[step] = place(16 * ptx::warp_id() + lane % 16, 2 * step + lane / 16);
    const int input_place = place(lane % 8, lane / 8);

    float sums[kRows / 8][4] = {};  // outputᵀ: 16 columns of the output x 8 rows each
    for (int stage = 0; stage < kStages - 1; stage++) {
        if (stage < slabs) load(stage);
        ptx::commit_copies();
    }
    for (int32_t slab = 0; slab < slabs; slab++) {
        // Every thread's copies of this slab are done, and every warp is done with the stage that comes next.
        ptx::wait_copies<kStages - 2>();
        ptx::sync_block();
        if (slab + kStages - 1 < slabs) load(slab + kStages - 1);
        ptx::commit_copies();
        const Shared<T> weights = stage_of(slab).part(0, kColumns * kSlab);
        const Shared<T> inputs = stage_of(slab).part(kColumns * kSlab, kRows * kSlab);
        uint32_t a[kSlab / 16][4], b[kRows / 8][4];
#pragma unroll
        for (int step = 0; step < kSlab / 16; step++)
            ptx::load_matrices(a[step], weights, weight_place[step]);
#pragma unroll
        for (int j = 0; j < kRows / 8; j++) ptx::load_matrices(b[j], inputs, input_place + 8 * j * kSlab);
#pragma unroll
        for (int step = 0; step < kSlab / 16; step++)
#pragma unroll
            for (int j = 0; j < kRows / 8; j++) {
                const uint32_t pair[2] = {b[j][2 * step], b[j][2 * step + 1]};
                ptx::multiply_add<T>(sums[j], a[step], pair);
            }
    }
    ptx::wait_copies<0>();
    ptx::sync_block();

    // Each warp turns its sums into rows of 16 columns, in shared memory of its own.
    constexpr int kRow = 16 + 4;
    static_assert(kColumns / 16 * kRows * kRow * sizeof(float) <= size_t{kStages} * kStage * sizeof(T),
                  "the sums fit where the slabs were");
    const Shared<float> staging = ptx::shared_memory<float>().part(ptx::warp_id() * kRows * kRow,
                                                                   kRows * kRow);
    const int g = lane / 4, t = lane % 4;
#pragma unroll
    for (int j = 0; j < kRows / 8; j++)
#pragma unroll
        for (int e = 0; e < 4; e++) staging.store((8 * j + 2 * t + e % 2) * kRow + g + e / 2 * 8, sums[j][e]);
    ptx::sync_warp();
    const int column = lane % 2 * 8;
    const int32_t out_column = static_cast<int32_t>(column_begin) + 16 * ptx::warp_id() + column;
    const auto columns = p.ending.columns(out_column);
    for (int row = lane / 2; row < kRows; row += 16) {
        const int64_t out_row = row_begin + row;
        if (out_row >= p.m || out_column >= p.n) continue;
        const auto low = staging.load_pack<4>(row * kRow + column);
        const auto high = staging.load_pack<4>(row * kRow + column + 4);
        const float x[8] = {low.at[0],  low.at[1],  low.at[2],  low.at[3],
                            high.at[0], high.at[1], high.at[2], high.at[3]};
        p.ending.finish(out_row, columns, x);
    }
}

template <typename T, typename Ending, int kRows>
void launch_tile(const LinearSmallParams<T, Ending>& params, Stream stream) {
    Grid grid;
    grid.x = static_cast<int>(ceil_div(params.n, kColumns));
    grid.y = static_cast<int>(ceil_div(params.m, kRows));
    grid.threads = kThreads;
    grid.shared_bytes = size_t{kStages} * (kColumns + kRows) * kSlab * sizeof(T);
    launch<LinearSmallParams<T, Ending>, linear_small_kernel<T, Ending, kRows>>("linear_small", grid, stream,
                                                                                params);
}

template <typename T, typename Ending>
void launch_product(const LinearArgs& args, const Ending& ending, Stream stream) {
    const int64_t m = args.output.rows;
    const LinearSmallParams<T, Ending> params{global<const T>(args.input),
                                              global<const T>(args.weight),
                                              ending,
                                              m,
                                              ending.n,
                                              args.input.width,
                                              args.input.stride,
                                              args.weight.stride};
    if constexpr (Ending::activations != Activations::kAny) {
        if (m <= 8) return launch_tile<T, Ending, 8>(params, stream);
        if (m <= 16) return launch_tile<T, Ending, 16>(params, stream);
    }
    launch_tile<T, Ending, 32>(params, stream);
}

}  // namespace

int32_t k_parts(int64_t n, int64_t k) {
    if (n > 4096) return 1;  // its tiles fill the device
    const int64_t slabs = slabs_of(k), wanted = k / kPartColumns;
    if (wanted < 2) return 1;
    return static_cast<int32_t>(ceil_div(slabs, ceil_div(slabs, wanted)));  // no part is empty
}

bool is_small(int64_t m, int64_t n, int64_t k) {
    return m <= (k_parts(n, k) > 1 ? kMostRowsWhenInParts : kMostRows);
}

void linear_small(const LinearArgs& args, Stream stream) {
    if (k_parts(args.weight.rows, args.input.width) > 1) return linear_parts(args, stream);
    with_half_type(args.input.type, [&](auto as) {
        using T = typename decltype(as)::type;
        with_epilogue<T>(args, [&](const auto& ending) { launch_product<T>(args, ending, stream); });
    });
}

}  // namespace bertha::cuda
