// output [m, n] = activation(input [m, k] · weightᵀ [n, k] + bias) + residual on the tensor cores: fp16 or
// bf16 operands, fp32 sums.
//
// Both operands have k contiguous. Slabs of 32 columns of k travel through a ring of 4 stages of shared
// memory (cp.async), from which ldmatrix fills the registers of mma.m16n8k16. A row of a slab is 64 bytes,
// two rows to a line of 32 banks: the 16-byte piece c of row r lies at c ^ (r / 2 % 4), so that the 8 rows of
// an 8x8 matrix, and the 8 pieces that a quarter warp writes, meet 8 different bank groups.
//
// Tiles: 128 x 128 with 8 warps of 64 x 32 for many rows; 64 x 64 and 32 x 64 with 4 warps for few, where
// blocks matter more than reuse. Every tile adds up k in the same order with the same instruction, so that a
// row has the same bits in each.
//
// For long k the sum is cut into k_parts(n, k) parts, added in order. With few rows each part is a block of
// its own and a second kernel adds them; with many, one block does them in turn.
#include "cuda/epilogue.cuh"

namespace bertha::cuda {
namespace {

constexpr int kSlab = 32;
constexpr int kPiece = 8;  // elements of 16 bytes
constexpr int kPieces = kSlab / kPiece;
constexpr int kStages = 4;
constexpr int64_t kPartColumns = 512;           // of k, at least
constexpr int64_t kRowsForParallelParts = 128;  // beyond, blocks are plenty without

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
using SmallTile = Tile<32, 64, 16, 32>;

template <typename T, typename Out>
struct LinearMmaParams {
    Global<const T> input, weight;
    Epilogue<Out> epilogue;
    Global<float> partial;  // [parts, m, n rounded up to 8] when parts are blocks of their own
    int64_t m;
    int32_t n, k, input_stride, weight_stride, slabs_per_part;
};

__device__ __forceinline__ int place(int row, int piece) {
    return row * kSlab + (piece ^ (row / 2 % 4)) * kPiece;
}

// One thread's share of an operand's slabs: the same piece of every kStep-th row. Zeros outside the operand.
template <typename T, int kRows, int kThreads>
struct SlabCopies {
    static constexpr int kStep = kThreads / kPieces;
    static_assert(kStep % 8 == 0 && kRows % kStep == 0, "a pass of rows keeps the swizzle");
    Global<const T> from;
    int64_t first;  // element of the first row, column 0 of the slabs
    int64_t rows;   // from the first one on
    int32_t columns, stride;
    int to;

    __device__ __forceinline__ SlabCopies(const Global<const T>& operand, int64_t row_begin, int64_t row_end,
                                          int32_t row_stride, int32_t k)
        : from(operand), stride(row_stride) {
        const int row = ptx::thread_index() / kPieces, piece = ptx::thread_index() % kPieces;
        first = (row_begin + row) * row_stride + piece * kPiece;
        rows = row_end - row_begin - row;
        columns = k - piece * kPiece;
        to = place(row, piece);
    }
    __device__ __forceinline__ void start(int32_t slab, const Shared<T>& stage) const {
        const int32_t left = columns - slab * kSlab;
        const int inside = left <= 0 ? 0 : left < kPiece ? left : kPiece;
#pragma unroll
        for (int row = 0; row < kRows; row += kStep) {
            const int count = row < rows ? inside : 0;
            const int64_t at = first + slab * kSlab + static_cast<int64_t>(row) * stride;
            ptx::copy_async(stage.address(to + row * kSlab, kPiece),
                            count > 0 ? from.address(at, count) : from.data,
                            count * static_cast<int>(sizeof(T)));
        }
    }
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

// kOwnPart: the block makes part block_z alone and writes its bare sums. kSeveralParts: the block makes all,
// each summed up before it is added to the total.
enum class Parts { kOne, kOwn, kSeveral };

template <typename T, typename Out, typename TileType, Parts kParts>
__global__ void __launch_bounds__(TileType::threads,
                                  TileType::threads == 256 && kParts == Parts::kOne ? kBulkBlocks : 1)
    linear_mma_kernel(LinearMmaParams<T, Out> p) {
    constexpr int kI = TileType::warp_m / 16, kJ = TileType::warp_n / 8;
    const Shared<T> ring = ptx::shared_memory<T>();
    const int64_t row_begin = static_cast<int64_t>(ptx::block_y()) * TileType::m;
    const int64_t column_begin = static_cast<int64_t>(ptx::block_x()) * TileType::n;
    const int warps_n = TileType::n / TileType::warp_n;
    const int warp_row = ptx::warp_id() / warps_n * TileType::warp_m;
    const int warp_column = ptx::warp_id() % warps_n * TileType::warp_n;
    const int32_t all_slabs = (p.k + kSlab - 1) / kSlab;
    const int32_t first = kParts == Parts::kOwn ? ptx::block_z() * p.slabs_per_part : 0;
    const int32_t end = kParts == Parts::kOwn && first + p.slabs_per_part < all_slabs
                            ? first + p.slabs_per_part
                            : all_slabs;

    const SlabCopies<T, TileType::m, TileType::threads> a_copies(p.input, row_begin, p.m, p.input_stride,
                                                                 p.k);
    const SlabCopies<T, TileType::n, TileType::threads> b_copies(p.weight, column_begin, p.n, p.weight_stride,
                                                                 p.k);
    const auto stage_of = [&](int32_t slab) {
        return ring.part((slab - first) % kStages * TileType::stage, TileType::stage);
    };
    const auto load = [&](int32_t slab) {
        a_copies.start(slab, stage_of(slab).part(0, TileType::m * kSlab));
        b_copies.start(slab, stage_of(slab).part(TileType::m * kSlab, TileType::n * kSlab));
    };
    const MatrixPlaces places(warp_row, warp_column);
    float sums[kI][kJ][4] = {};
    float totals[kParts == Parts::kSeveral ? kI : 1][kParts == Parts::kSeveral ? kJ : 1][4] = {};
    for (int stage = 0; stage < kStages - 1; stage++) {
        if (first + stage < end) load(first + stage);
        ptx::commit_copies();
    }
    for (int32_t slab = first; slab < end; slab++) {
        // Every thread's copies of this slab are done, and every warp is done with the stage that comes next.
        ptx::wait_copies<kStages - 2>();
        ptx::sync_block();
        if (slab + kStages - 1 < end) load(slab + kStages - 1);
        ptx::commit_copies();
        const Shared<T> stage = stage_of(slab);
        multiply_slab<T, TileType>(stage.part(0, TileType::m * kSlab),
                                   stage.part(TileType::m * kSlab, TileType::n * kSlab), places, sums);
        if constexpr (kParts == Parts::kSeveral) {
            if ((slab + 1) % p.slabs_per_part != 0 && slab + 1 != end) continue;
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
    const int g = ptx::lane_id() / 4, t = ptx::lane_id() % 4;
#pragma unroll
    for (int i = 0; i < kI; i++) {
#pragma unroll
        for (int j = 0; j < kJ; j++)
#pragma unroll
            for (int half = 0; half < 2; half++) {
                const auto& values = [&]() -> const float(&)[4] {
                    if constexpr (kParts == Parts::kSeveral)
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
            const int row = pass * 8 + g, column = 8 * t;
            const int64_t out_row = row_begin + warp_row + 16 * i + row;
            const int32_t out_column = static_cast<int32_t>(column_begin) + warp_column + column;
            if (out_row >= p.m || out_column >= p.n) continue;
            const auto low = staging.load_pack<4>(row * kRow + column);
            const auto high = staging.load_pack<4>(row * kRow + column + 4);
            if constexpr (kParts == Parts::kOwn) {
                const int64_t padded = (p.n + 7) / 8 * 8;
                const int64_t at = (ptx::block_z() * p.m + out_row) * padded + out_column;
                p.partial.store_pack(at, low);
                p.partial.store_pack(at + 4, high);
            } else {
                const float x[8] = {low.at[0],  low.at[1],  low.at[2],  low.at[3],
                                    high.at[0], high.at[1], high.at[2], high.at[3]};
                p.epilogue.finish(out_row, out_column, x);
            }
        }
        ptx::sync_warp();
    }
}

// Adds the parts in order, as Parts::kSeveral does. One thread per 8 columns.
constexpr int kAddThreads = 128;
template <typename T, typename Out>
__global__ void add_parts_kernel(LinearMmaParams<T, Out> p) {
    const int32_t groups = (p.n + 7) / 8;
    const int64_t unit = static_cast<int64_t>(ptx::block_x()) * kAddThreads + ptx::thread_index();
    if (unit >= p.m * groups) return;
    const int64_t row = unit / groups;
    const int32_t column = static_cast<int32_t>(unit % groups) * 8;
    const int32_t slabs = (p.k + kSlab - 1) / kSlab,
                  parts = (slabs + p.slabs_per_part - 1) / p.slabs_per_part;
    float x[8] = {};
    for (int32_t part = 0; part < parts; part++) {
        const int64_t at = (part * p.m + row) * groups * 8 + column;
        const auto low = p.partial.template load_pack<4>(at), high = p.partial.template load_pack<4>(at + 4);
        for (int j = 0; j < 4; j++) {
            x[j] += low.at[j];
            x[4 + j] += high.at[j];
        }
    }
    p.epilogue.finish(row, column, x);
}

template <typename T, typename Out, typename TileType, Parts kParts>
void launch_tile(const LinearMmaParams<T, Out>& params, int32_t parts, Stream stream) {
    constexpr size_t kRing = size_t{kStages} * TileType::stage * sizeof(T);
    static_assert(TileType::warps * TileType::staging * sizeof(float) <= kRing,
                  "the sums fit where the slabs were");
    static_assert(kRing <= 64 * 1024, "what sm_75 has");
    Grid grid;
    grid.x = static_cast<int>(ceil_div(params.n, TileType::n));
    grid.y = static_cast<int>(ceil_div(params.m, TileType::m));
    grid.z = kParts == Parts::kOwn ? parts : 1;
    grid.threads = TileType::threads;
    grid.shared_bytes = kRing;
    launch<LinearMmaParams<T, Out>, linear_mma_kernel<T, Out, TileType, kParts>>("linear_mma", grid, stream,
                                                                                 params);
}

template <typename T, typename Out>
void launch_linear(const LinearArgs& args, Stream stream) {
    const int64_t m = args.output.rows, n = args.output.width, k = args.input.width;
    const int32_t parts = k_parts(n, k);
    const auto slabs_per_part = static_cast<int32_t>(ceil_div(ceil_div(k, kSlab), parts));
    const LinearMmaParams<T, Out> params{global<const T>(args.input),
                                         global<const T>(args.weight),
                                         epilogue<Out>(args),
                                         {args.partial, linear_scratch_floats(m, n, k)},
                                         m,
                                         args.output.width,
                                         args.input.width,
                                         args.input.stride,
                                         args.weight.stride,
                                         slabs_per_part};
    if (parts > 1 && m <= kRowsForParallelParts) {
        launch_tile<T, Out, SmallTile, Parts::kOwn>(params, parts, stream);
        Grid grid;
        grid.x = static_cast<int>(ceil_div(m * ceil_div(n, 8), kAddThreads));
        grid.threads = kAddThreads;
        return launch<LinearMmaParams<T, Out>, add_parts_kernel<T, Out>>("add_parts", grid, stream, params);
    }
    if (parts > 1) return launch_tile<T, Out, BulkTile, Parts::kSeveral>(params, parts, stream);
    if (m <= 64) return launch_tile<T, Out, SmallTile, Parts::kOne>(params, parts, stream);
    if (m <= 512) return launch_tile<T, Out, MiddleTile, Parts::kOne>(params, parts, stream);
    launch_tile<T, Out, BulkTile, Parts::kOne>(params, parts, stream);
}

}  // namespace

int32_t k_parts(int64_t n, int64_t k) {
    if (n > 4096) return 1;  // its tiles fill the device
    const int64_t slabs = ceil_div(k, kSlab), wanted = k / kPartColumns;
    if (wanted < 2) return 1;
    return static_cast<int32_t>(ceil_div(slabs, ceil_div(slabs, wanted)));  // no part is empty
}

int64_t linear_scratch_floats(int64_t m, int64_t n, int64_t k) {
    const int64_t parts = k_parts(n, k);
    return parts > 1 && m <= kRowsForParallelParts ? parts * m * (ceil_div(n, 8) * 8) : 0;
}

void linear_mma(const LinearArgs& args, Stream stream) {
    with_half_type(args.input.type, [&](auto as) {
        using T = typename decltype(as)::type;
        if (args.output.type == Type::kFloat) return launch_linear<T, float>(args, stream);
        launch_linear<T, T>(args, stream);
    });
}

}  // namespace bertha::cuda
