// The product of linear_small.cu for few rows and long k, whose sum is cut into k_parts(n, k) parts: each
// warp of a block makes one, and the block adds them in order. linear_mma.cu makes the same product, bit for
// bit, for many rows.
//
// Tiles: 16 rows of the weights x 8, 16 or 32 rows of input. A warp has a ring of slabs of its own, so that
// no barrier of the block stands in its loop. More than 4 parts are made 4 at a time.
#include "cuda/device/epilogue.cuh"
#include "cuda/device/slabs.cuh"

namespace bertha::cuda {
namespace {

constexpr int kMostWarps = 4;

template <typename T, typename Ending>
struct LinearPartsParams {
    Global<const T> input, weight;
    Ending ending;
    int64_t m;
    int32_t n, k, input_stride, weight_stride, slabs_per_part, parts, warps;
};

// kColumns: of the output, rows of the weights.
template <typename T, int kColumns, int kRows>
struct PartTile {
    static constexpr int stage = (kColumns + kRows) * kSlab;  // elements
    static constexpr int stages = kRows < 32 ? 8 : kColumns < 32 ? 5 : 4;
    static constexpr int ring = stages * stage;
    static constexpr int row = kColumns + 4;              // floats of a row of sums in shared memory
    static constexpr int units = kRows * (kColumns / 8);  // that the block adds, 8 columns each
    static constexpr int units_of_thread = units <= 64 ? 1 : units / 64;  // a block has two warps or more
    static_assert(kMostWarps * ring * sizeof(T) <= 64 * 1024, "what sm_75 has, for 4 rings");
    static_assert(kRows * row * sizeof(float) <= ring * sizeof(T), "the sums fit where the slabs were");
};

// outputᵀ [kColumns, kRows] of the slabs first .. end, by one warp.
template <typename T, int kColumns, int kRows>
__device__ __forceinline__ void multiply_part(const SlabCopies<T, kColumns, 32>& weight_copies,
                                              const SlabCopies<T, kRows, 32>& input_copies,
                                              const Shared<T>& ring, int32_t first, int32_t end,
                                              float (&sums)[kColumns / 16][kRows / 8][4]) {
    using Tile = PartTile<T, kColumns, kRows>;
    constexpr int kStages = Tile::stages, kStage = Tile::stage;
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
        uint32_t a[kColumns / 16][kSlab / 16][4], b[kRows / 8][4];
#pragma unroll
        for (int i = 0; i < kColumns / 16; i++)
#pragma unroll
            for (int step = 0; step < kSlab / 16; step++)
                ptx::load_matrices(a[i][step], weights, weight_place[step] + 16 * i * kSlab);
#pragma unroll
        for (int j = 0; j < kRows / 8; j++) ptx::load_matrices(b[j], inputs, input_place + 8 * j * kSlab);
#pragma unroll
        for (int step = 0; step < kSlab / 16; step++)
#pragma unroll
            for (int i = 0; i < kColumns / 16; i++)
#pragma unroll
                for (int j = 0; j < kRows / 8; j++) {
                    const uint32_t pair[2] = {b[j][2 * step], b[j][2 * step + 1]};
                    ptx::multiply_add<T>(sums[i][j], a[i][step], pair);
                }
    }
    ptx::wait_copies<0>();
    ptx::sync_warp();
}

template <typename T, typename Ending, int kColumns, int kRows>
__global__ void __launch_bounds__(kMostWarps * 32) linear_parts_kernel(LinearPartsParams<T, Ending> p) {
    using Tile = PartTile<T, kColumns, kRows>;
    constexpr int kRingFloats = Tile::ring * sizeof(T) / sizeof(float);
    const int64_t row_begin = static_cast<int64_t>(ptx::block_y()) * kRows;
    const int32_t column_begin = ptx::block_x() * kColumns;
    const int32_t slabs = (p.k + kSlab - 1) / kSlab;
    const SlabCopies<T, kColumns, 32> weight_copies(p.weight, column_begin, p.n, p.weight_stride, p.k);
    const SlabCopies<T, kRows, 32> input_copies(p.input, row_begin, p.m, p.input_stride, p.k);
    const Shared<T> ring = ptx::shared_memory<T>().part(ptx::warp_id() * Tile::ring, Tile::ring);
    const int g = ptx::lane_id() / 4, t = ptx::lane_id() % 4;
    float totals[Tile::units_of_thread][8] = {};
    for (int32_t begin = 0; begin < p.parts; begin += p.warps) {
        const int32_t part = begin + ptx::warp_id();
        if (part < p.parts) {
            const int32_t first = part * p.slabs_per_part;
            const int32_t end = first + p.slabs_per_part < slabs ? first + p.slabs_per_part : slabs;
            float sums[kColumns / 16][kRows / 8][4] = {};
            multiply_part<T, kColumns, kRows>(weight_copies, input_copies, ring, first, end, sums);
            // From mma's layout into rows of the output, where the warp's slabs were.
            const Shared<float> own = ptx::shared_memory<float>().part(ptx::warp_id() * kRingFloats,
                                                                       kRows * Tile::row);
#pragma unroll
            for (int i = 0; i < kColumns / 16; i++)
#pragma unroll
                for (int j = 0; j < kRows / 8; j++)
#pragma unroll
                    for (int e = 0; e < 4; e++)
                        own.store((8 * j + 2 * t + e % 2) * Tile::row + 16 * i + g + e / 2 * 8,
                                  sums[i][j][e]);
        }
        ptx::sync_block();
#pragma unroll
        for (int i = 0; i < Tile::units_of_thread; i++) {
            const int unit = ptx::thread_index() + i * p.warps * 32;
            const int at = unit / (kColumns / 8) * Tile::row + unit % (kColumns / 8) * 8;
            for (int warp = 0; unit < Tile::units && warp < p.warps && begin + warp < p.parts; warp++) {
                const Shared<float> from = ptx::shared_memory<float>().part(warp * kRingFloats + at, 8);
                const auto low = from.load_pack<4>(0), high = from.load_pack<4>(4);
#pragma unroll
                for (int j = 0; j < 4; j++) {
                    totals[i][j] += low.at[j];
                    totals[i][4 + j] += high.at[j];
                }
            }
        }
        ptx::sync_block();
    }
#pragma unroll
    for (int i = 0; i < Tile::units_of_thread; i++) {
        const int unit = ptx::thread_index() + i * p.warps * 32;
        const int64_t row = row_begin + unit / (kColumns / 8);
        const int32_t column = column_begin + unit % (kColumns / 8) * 8;
        if (unit < Tile::units && row < p.m && column < p.n)
            p.ending.finish(row, p.ending.columns(column), totals[i]);
    }
}

template <typename T, int kColumns, int kRows, typename Ending>
void launch_tile(const LinearPartsParams<T, Ending>& params, Stream stream) {
    Grid grid;
    grid.x = static_cast<int>(ceil_div(params.n, kColumns));
    grid.y = static_cast<int>(ceil_div(params.m, kRows));
    grid.threads = params.warps * 32;
    grid.shared_bytes = static_cast<size_t>(params.warps) * PartTile<T, kColumns, kRows>::ring * sizeof(T);
    launch<LinearPartsParams<T, Ending>, linear_parts_kernel<T, Ending, kColumns, kRows>>(
        "linear_parts", grid, stream, params);
}

template <typename T, typename Ending>
void launch_product(const LinearArgs& args, const Ending& ending, Stream stream) {
    const int64_t m = args.output.rows;
    const int32_t n = ending.n, k = args.input.width, parts = k_parts(n, k);
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
        if (m <= 8) return launch_tile<T, 16, 8>(params, stream);
        if (m <= 16) return launch_tile<T, 16, 16>(params, stream);
        if (m <= 32) return launch_tile<T, 16, 32>(params, stream);
    }
    launch_tile<T, 32, 32>(params, stream);
}

// Gates of so many columns are rare: they have the one tile of any activation.
template <typename T, Activations kActivations>
void launch_product(const LinearArgs& args, const GatedEpilogue<T, kActivations>&, Stream stream) {
    using Ending = GatedEpilogue<T, Activations::kAny>;
    launch_product<T, Ending>(args, Ending::of(args), stream);
}

}  // namespace

void linear_parts(const LinearArgs& args, Stream stream) {
    with_half_type(args.input.type, [&](auto as) {
        using T = typename decltype(as)::type;
        with_epilogue<T>(args, [&](const auto& ending) { launch_product<T>(args, ending, stream); });
    });
}

}  // namespace bertha::cuda
