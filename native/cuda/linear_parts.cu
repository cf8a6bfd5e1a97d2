// The product of linear_small.cu for few rows and long k, whose sum is cut into k_parts(n, k) parts: each
// warp of a block makes one, and the block adds them in order. linear_mma.cu makes the same product, bit for
// bit, for many rows.
//
// Tiles: 16 rows of the weights x 8, 16 or 32 rows of input. A warp has a ring of slabs of its own, so that
// no barrier of the block stands in its loop. More than 4 parts are made 4 at a time.
#include "cuda/epilogue.cuh"
#include "cuda/slabs.cuh"

namespace bertha::cuda {
namespace {

constexpr int kColumns = 16;  // of the output, rows of the weights
constexpr int kMostWarps = 4;
constexpr int kRow = kColumns + 4;  // floats of a row of sums in shared memory

template <typename T, typename Ending>
struct LinearPartsParams {
    Global<const T> input, weight;
    Ending ending;
    int64_t m;
    int32_t n, k, input_stride, weight_stride, slabs_per_part, parts, warps;
};

template <typename T, int kRows>
struct PartTile {
    static constexpr int stages = kRows == 32 ? 5 : 8;  // 4 rings fit 64 KB
    static constexpr int stage = (kColumns + kRows) * kSlab;
    static constexpr int ring = stages * stage;  // elements
    static_assert(kMostWarps * ring * sizeof(T) <= 64 * 1024, "what sm_75 has");
    static_assert(kRows * kRow * sizeof(float) <= ring * sizeof(T), "the sums fit where the slabs were");
};

// outputᵀ [16, kRows] of the slabs first .. end, by one warp.
template <typename T, int kRows>
__device__ __forceinline__ void multiply_part(const SlabCopies<T, kColumns, 32>& weight_copies,
                                              const SlabCopies<T, kRows, 32>& input_copies,
                                              const Shared<T>& ring, int32_t first, int32_t end,
                                              float (&sums)[kRows / 8][4]) {
    constexpr int kStages = PartTile<T, kRows>::stages, kStage = PartTile<T, kRows>::stage;
    const int lane = ptx::lane_id();
    const auto stage_of = [&](int32_t slab) { return ring.part((slab - first) % kStages * kStage, kStage); };
    const auto load = [&](int32_t slab) {
        weight_copies.start(slab, stage_of(slab).part(0, kColumns * kSlab));
        input_copies.start(slab, stage_of(slab).part(kColumns * kSlab, kRows * kSlab));
    };
    int weight_place[kSlab / 16];
#pragma unroll
    for (int step = 0; step < kSlab / 16; step++) weight_place[step] = place(lane % 16, 2 * step + lane / 16);
    const int input_place = place(lane % 8, lane / 8);
    for (int stage = 0; stage < kStages - 1; stage++) {
        if (first + stage < end) load(first + stage);
        ptx::commit_copies();
    }
    for (int32_t slab = first; slab < end; slab++) {
        // Every lane's copies of this slab are done, and every lane is done with the stage that comes next.
        ptx::wait_copies<kStages - 2>();
        ptx::sync_warp();
        if (slab + kStages - 1 < end) load(slab + kStages - 1);
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
    ptx::sync_warp();
}

template <typename T, typename Ending, int kRows>
__global__ void __launch_bounds__(kMostWarps * 32) linear_parts_kernel(LinearPartsParams<T, Ending> p) {
    using Tile = PartTile<T, kRows>;
    constexpr int kRingFloats = Tile::ring * sizeof(T) / sizeof(float);
    const int64_t row_begin = static_cast<int64_t>(ptx::block_y()) * kRows;
    const int32_t column_begin = ptx::block_x() * kColumns;
    const int32_t slabs = (p.k + kSlab - 1) / kSlab;
    const SlabCopies<T, kColumns, 32> weight_copies(p.weight, column_begin, p.n, p.weight_stride, p.k);
    const SlabCopies<T, kRows, 32> input_copies(p.input, row_begin, p.m, p.input_stride, p.k);
    const Shared<T> ring = ptx::shared_memory<T>().part(ptx::warp_id() * Tile::ring, Tile::ring);
    const int g = ptx::lane_id() / 4, t = ptx::lane_id() % 4;
    const int row = ptx::thread_index() / 2, column = ptx::thread_index() % 2 * 8;  // that this thread adds
    float totals[8] = {};
    for (int32_t begin = 0; begin < p.parts; begin += p.warps) {
        const int32_t part = begin + ptx::warp_id();
        if (part < p.parts) {
            const int32_t first = part * p.slabs_per_part;
            const int32_t end = first + p.slabs_per_part < slabs ? first + p.slabs_per_part : slabs;
            float sums[kRows / 8][4] = {};
            multiply_part<T, kRows>(weight_copies, input_copies, ring, first, end, sums);
            // From mma's layout into rows of 16 columns, where the warp's slabs were.
            const Shared<float> own = ptx::shared_memory<float>().part(ptx::warp_id() * kRingFloats,
                                                                       kRows * kRow);
#pragma unroll
            for (int j = 0; j < kRows / 8; j++)
#pragma unroll
                for (int e = 0; e < 4; e++)
                    own.store((8 * j + 2 * t + e % 2) * kRow + g + e / 2 * 8, sums[j][e]);
        }
        ptx::sync_block();
        for (int warp = 0; row < kRows && warp < p.warps && begin + warp < p.parts; warp++) {
            const Shared<float> from = ptx::shared_memory<float>().part(
                warp * kRingFloats + row * kRow + column, 8);
            const auto low = from.load_pack<4>(0), high = from.load_pack<4>(4);
#pragma unroll
            for (int j = 0; j < 4; j++) {
                totals[j] += low.at[j];
                totals[4 + j] += high.at[j];
            }
        }
        ptx::sync_block();
    }
    if (row < kRows && row_begin + row < p.m && column_begin + column < p.n)
        p.ending.finish(row_begin + row, p.ending.columns(column_begin + column), totals);
}

template <typename T, int kRows, typename Ending>
void launch_tile(const LinearPartsParams<T, Ending>& params, Stream stream) {
    Grid grid;
    grid.x = static_cast<int>(ceil_div(params.n, kColumns));
    grid.y = static_cast<int>(ceil_div(params.m, kRows));
    grid.threads = params.warps * 32;
    grid.shared_bytes = static_cast<size_t>(params.warps) * PartTile<T, kRows>::ring * sizeof(T);
    launch<LinearPartsParams<T, Ending>, linear_parts_kernel<T, Ending, kRows>>("linear_parts", grid, stream,
                                                                                params);
}

template <typename T, typename Ending>
void launch_product(const LinearArgs& args, const Ending& ending, Stream stream) {
    const int64_t m = args.output.rows;
    const int32_t n = args.output.width, k = args.input.width, parts = k_parts(n, k);
    const LinearPartsParams<T, Ending> params{global<const T>(args.input),
                                              global<const T>(args.weight),
                                              ending,
                                              m,
                                              n,
                                              k,
                                              args.input.stride,
                                              args.weight.stride,
                                              slabs_per_part(n, k),
                                              parts,
                                              parts < kMostWarps ? parts : kMostWarps};
    if constexpr (Ending::activations != Activations::kAny) {
        if (m <= 8) return launch_tile<T, 8>(params, stream);
        if (m <= 16) return launch_tile<T, 16>(params, stream);
    }
    launch_tile<T, 32>(params, stream);
}

}  // namespace

void linear_parts(const LinearArgs& args, Stream stream) {
    with_half_type(args.input.type, [&](auto as) {
        using T = typename decltype(as)::type;
        with_epilogue<T>(args, [&](const auto& ending) { launch_product<T>(args, ending, stream); });
    });
}

}  // namespace bertha::cuda
