// output [m, n] = activation(input [m, k] · weightᵀ [n, k] + bias) + residual on the tensor cores: fp16 or
// bf16 operands, fp32 sums. linear_small.cu makes the same product, bit for bit, for few rows.
//
// Both operands have k contiguous. Slabs of 32 columns of k (slabs.cuh) travel through a ring of 4 stages of
// shared memory (cp.async), from which ldmatrix fills the registers of mma.m16n8k16.
//
// Tiles: 128 x 128 with 8 warps of 64 x 32 for many rows; 64 x 64 with 4 warps for fewer, where blocks matter
// more than reuse, and wherever the activation is rare. Both add up k in the same order with the same
// instruction, so that a row has the same bits in each. For long k the sum is cut into k_parts(n, k) parts,
// which a block of the large tile makes in turn and adds in order.
#include "cuda/device/epilogue.cuh"
#include "cuda/device/slabs.cuh"

namespace bertha::cuda {
namespace {

constexpr int kStages = 4;

template <int kM, int kN, int kWarpM, int kWarpN>
struct Tile {
    static constexpr int m = kM, n = kN;                    // of a block
    static constexpr int warp_m = kWarpM, warp_n = kWarpN;  // of a warp
    static constexpr int warps = (kM / kWarpM) * (kN / kWarpN);
    static constexpr int threads = warps * 32;
    static constexpr int stage = (kM + kN) * kSlab;    // elements
    static constexpr int staging = 16 * (kWarpN + 4);  // floats through which a warp's sums leave
};
using BulkTile = Tile<128, 128, 64, 32>;
#if defined(__CUDA_ARCH__) && __CUDA_ARCH__ < 800
constexpr int kBulkBlocks = 1;  // of an SM: its shared memory has room for no more
#else
constexpr int kBulkBlocks = 2;
#endif
using MiddleTile = Tile<64, 64, 32, 32>;

template <typename T, typename Ending>
struct LinearMmaParams {
    Global<const T> input, weight;
    Ending epilogue;
    int64_t m;
    int32_t n, k, input_stride, weight_stride, slabs_per_part;
};

// Where a lane reads the first of its warp's 8x8 matrices: the others lie 16 rows further each.
struct MatrixPlaces {
    int a[kSlab / 16], b[kSlab / 16];  // by step of 16 columns

    __device__ __forceinline__ MatrixPlaces(int warp_row, int warp_column) {
        const int lane = ptx::lane_id();
#pragma unroll
        for (int step = 0; step < kSlab / 16; step++) {
            a[step] = place(warp_row + lane % 16, 2 * step + lane / 16);
            b[step] = place(warp_column + lane % 8 + lane / 16 * 8, 2 * step + lane / 8 % 2);
        }
    }
};

template <typename T, typename TileType>
__device__ __forceinline__ void multiply_slab(const Shared<T>& a_rows, const Shared<T>& b_rows,
                                              const MatrixPlaces& places,
                                              float (&sums)[TileType::warp_m / 16][TileType::warp_n / 8][4]) {
#pragma unroll
    for (int step = 0; step < kSlab / 16; step++) {
        uint32_t a[TileType::warp_m / 16][4], b[TileType::warp_n / 16][4];
#pragma unroll
        for (int i = 0; i < TileType::warp_m / 16; i++)
            ptx::load_matrices(a[i], a_rows, places.a[step] + 16 * i * kSlab);
#pragma unroll
        for (int j = 0; j < TileType::warp_n / 16; j++)
            ptx::load_matrices(b[j], b_rows, places.b[step] + 16 * j * kSlab);
#pragma unroll
        for (int i = 0; i < TileType::warp_m / 16; i++)
#pragma unroll
            for (int j = 0; j < TileType::warp_n / 8; j++) {
                const uint32_t pair[2] = {b[j / 2][j % 2 * 2], b[j / 2][j % 2 * 2 + 1]};
                ptx::multiply_add<T>(sums[i][j], a[i], pair);
            }
    }
}

// kInParts: each part of k is summed up before it is added to the total.
template <typename T, typename Ending, typename TileType, bool kInParts>
__global__ void __launch_bounds__(TileType::threads, TileType::threads == 256 && !kInParts ? kBulkBlocks : 1)
    linear_mma_kernel(LinearMmaParams<T, Ending> p) {
    constexpr int kI = TileType::warp_m / 16, kJ = TileType::warp_n / 8;
    const Shared<T> ring = ptx::shared_memory<T>();
    const int64_t row_begin = static_cast<int64_t>(ptx::block_y()) * TileType::m;
    const int64_t column_begin = static_cast<int64_t>(ptx::block_x()) * TileType::n;
    const int warps_n = TileType::n / TileType::warp_n;
    const int warp_row = ptx::warp_id() / warps_n * TileType::warp_m;
    const int warp_column = ptx::warp_id() % warps_n * TileType::warp_n;
    const int32_t slabs = (p.k + kSlab - 1) / kSlab;

    const SlabCopies<T, TileType::m, TileType::threads> a_copies(p.input, row_begin, p.m, p.input_stride,
                                                                 p.k);
    const SlabCopies<T, TileType::n, TileType::threads> b_copies(p.weight, column_begin, p.n, p.weight_stride,
                                                                 p.k);
    const auto stage_of = [&](int32_t slab) {
        return ring.part(slab % kStages * TileType::stage, TileType::stage);
    };
    const auto load = [&](int32_t slab) {
        a_copies.start(slab, stage_of(slab).part(0, TileType::m * kSlab));
        b_copies.start(slab, stage_of(slab).part(TileType::m * kSlab, TileType::n * kSlab));
    };
    const MatrixPlaces places(warp_row, warp_column);
    float sums[kI][kJ][4] = {};
    int32_t part_end = p.slabs_per_part < slabs ? p.slabs_per_part : slabs;
    float totals[kInParts ? kI : 1][kInParts ? kJ : 1][4] = {};
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
        const Shared<T> stage = stage_of(slab);
        multiply_slab<T, TileType>(stage.part(0, TileType::m * kSlab),
                                   stage.part(TileType::m * kSlab, TileType::n * kSlab), places, sums);
        if constexpr (kInParts) {
            if (slab + 1 != part_end) continue;
            part_end = part_end + p.slabs_per_part < slabs ? part_end + p.slabs_per_part : slabs;
#pragma unroll
            for (int i = 0; i < kI; i++)
#pragma unroll
                for (int j = 0; j < kJ; j++)
#pragma unroll
                    for (int e = 0; e < 4; e++) {
                        totals[i][j][e] += sums[i][j][e];
                        sums[i][j][e] = 0.0f;
                    }
        }
    }
    ptx::wait_copies<0>();
    ptx::sync_block();

    // Each warp turns 16 rows at a time from mma's layout into rows, in shared memory of its own.
    constexpr int kRow = TileType::warp_n + 4;
    const Shared<float> staging = ptx::shared_memory<float>().part(ptx::warp_id() * TileType::staging,
                                                                   TileType::staging);
    const int g = ptx::lane_id() / 4, t = ptx::lane_id() % 4, column = 8 * t;
    const int32_t out_column = static_cast<int32_t>(column_begin) + warp_column + column;
    const auto columns = p.epilogue.columns(out_column);
#pragma unroll
    for (int i = 0; i < kI; i++) {
#pragma unroll
        for (int j = 0; j < kJ; j++)
#pragma unroll
            for (int half = 0; half < 2; half++) {
                const auto& values = [&]() -> const float(&)[4] {
                    if constexpr (kInParts)
                        return totals[i][j];
                    else
                        return sums[i][j];
                }();
                staging.store_pack((g + 8 * half) * kRow + 8 * j + 2 * t,
                                   Pack<float, 2>{{values[2 * half], values[2 * half + 1]}});
            }
        ptx::sync_warp();
#pragma unroll 1
        for (int pass = 0; pass < 2; pass++) {
            const int row = pass * 8 + g;
            const int64_t out_row = row_begin + warp_row + 16 * i + row;
            if (out_row >= p.m || out_column >= p.n) continue;
            const auto low = staging.load_pack<4>(row * kRow + column);
            const auto high = staging.load_pack<4>(row * kRow + column + 4);
            const float x[8] = {low.at[0],  low.at[1],  low.at[2],  low.at[3],
                                high.at[0], high.at[1], high.at[2], high.at[3]};
            p.epilogue.finish(out_row, columns, x);
        }
        ptx::sync_warp();
    }
}

template <typename T, typename Ending, typename TileType, bool kInParts>
void launch_tile(const LinearMmaParams<T, Ending>& params, Stream stream) {
    constexpr size_t kRing = size_t{kStages} * TileType::stage * sizeof(T);
    static_assert(TileType::warps * TileType::staging * sizeof(float) <= kRing,
                  "the sums fit where the slabs were");
    static_assert(kRing <= 64 * 1024, "what sm_75 has");
    Grid grid;
    grid.x = static_cast<int>(ceil_div(params.n, TileType::n));
    grid.y = static_cast<int>(ceil_div(params.m, TileType::m));
    grid.threads = TileType::threads;
    grid.shared_bytes = kRing;
    launch<LinearMmaParams<T, Ending>, linear_mma_kernel<T, Ending, TileType, kInParts>>("linear_mma", grid,
                                                                                         stream, params);
}

template <typename T, typename Ending>
void launch_linear(const LinearArgs& args, const Ending& ending, Stream stream) {
    constexpr Activations kActivations = Ending::activations;
    const int64_t m = args.output.rows, n = ending.n, k = args.input.width;
    const LinearMmaParams<T, Ending> params{global<const T>(args.input),
                                            global<const T>(args.weight),
                                            ending,
                                            m,
                                            ending.n,
                                            args.input.width,
                                            args.input.stride,
                                            args.weight.stride,
                                            slabs_per_part(n, k)};
    const bool in_parts = k_parts(n, k) > 1;
    if constexpr (kActivations == Activations::kAny) {  // takes any k: a sum that is not cut is one part
        launch_tile<T, Ending, MiddleTile, true>(params, stream);
    } else {
        if constexpr (kActivations == Activations::kNone) {
            if (in_parts) return launch_tile<T, Ending, BulkTile, true>(params, stream);
        } else if (in_parts) {
            return launch_linear<T>(args, Ending::WithAnyActivation::of(args), stream);
        }
        if (m <= 512) return launch_tile<T, Ending, MiddleTile, false>(params, stream);
        launch_tile<T, Ending, BulkTile, false>(params, stream);
    }
}

}  // namespace

void linear_mma(const LinearArgs& args, Stream stream) {
    with_half_type(args.input.type, [&](auto as) {
        using T = typename decltype(as)::type;
        with_epilogue<T>(args, [&](const auto& ending) { launch_linear<T>(args, ending, stream); });
    });
}

}  // namespace bertha::cuda
