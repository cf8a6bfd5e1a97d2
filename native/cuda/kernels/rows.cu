// Ops that move or reduce rows: embedding lookup, gathering, pooling, L2 normalisation, copying out. They are
// bound by memory and take 1-3 % of a forward.
#include "cuda/device/embeddings.cuh"

namespace bertha::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;

Grid warp_per_row(int64_t rows) {
    Grid grid;
    grid.x = static_cast<int>(ceil_div(rows, kWarps));
    grid.threads = kThreads;
    return grid;
}
__device__ __forceinline__ int64_t row_of_warp() {
    return static_cast<int64_t>(ptx::block_x()) * kWarps + ptx::warp_id();
}

// max(|row|, 1e-12) of at(0 .. width - 1), by one warp.
template <typename At>
__device__ __forceinline__ float row_norm(int32_t width, At&& at) {
    float squares = 0.0f;
    for (int32_t column = ptx::lane_id(); column < width; column += 32) {
        const float x = at(column);
        squares = fmaf(x, x, squares);
    }
    return fmaxf(sqrtf(ptx::warp_sum(squares)), 1e-12f);
}

// --- embed: output[row] = the sum of the token's embeddings, one warp per token
template <typename T>
struct EmbedParams {
    Embeddings<T> embeddings;
    Global<T> output;
    int32_t width, stride;
    int64_t rows;
};
template <typename T>
__global__ void embed_kernel(EmbedParams<T> p) {
    constexpr int kPack = 16 / sizeof(T);
    const int64_t row = row_of_warp();
    if (row >= p.rows) return;
    const auto from = p.embeddings.row(row);
    for (int32_t column = ptx::lane_id() * kPack; column < p.width; column += 32 * kPack)
        p.output.store_pack(row * p.stride + column, p.embeddings.template load<kPack>(from, column));
}

// --- gather_rows: output[i] = input[row i], in fp32
template <typename T>
struct GatherParams {
    Global<const T> input;
    Global<const int32_t> rows_to_take;
    Global<float> output;
    int32_t width, input_stride, stride;
    int64_t rows;
};
template <typename T>
__global__ void gather_kernel(GatherParams<T> p) {
    const int64_t row = row_of_warp();
    if (row >= p.rows) return;
    const int64_t from = static_cast<int64_t>(p.rows_to_take.load(row)) * p.input_stride;
    for (int32_t column = ptx::lane_id(); column < p.width; column += 32)
        p.output.store(row * p.stride + column, ptx::to_float(p.input.load(from + column)));
}

// --- pool: one block per sequence. A warp takes 128 columns of the rows r, r + 8, ... from the first that is
// not skipped on, and the 8 sums of a column are added in order: a text's bits do not depend on its batch.
// With every token skipped the result is zero, never NaN, and cls is the first token all the same.
constexpr int kPoolRows = 8;       // warps that share the rows of a column
constexpr int kPoolColumns = 128;  // of a warp, 4 a lane
constexpr int kPoolGroups = 2;     // at most, of kPoolRows warps

template <typename T>
struct PoolParams {
    Global<const T> input;
    Global<const int32_t> cu_seqlens, pool_skip;
    Global<float> output;
    int32_t width, input_stride, stride, num_modes, groups;
    bool normalizes;
    uint32_t modes;  // 4 bits each: an array that is indexed at run time would be copied to local memory

    __device__ __forceinline__ PoolMode mode(int32_t index) const {
        return static_cast<PoolMode>(modes >> 4 * index & 15);
    }
};

// The sums, or maxima, of a lane's columns over its warp's rows; first is the row after those that are
// skipped.
template <typename T>
__device__ __forceinline__ Pack<float, 4> pool_rows(const PoolParams<T>& p, PoolMode mode, int32_t begin,
                                                    int32_t first, int32_t end, int32_t column) {
    const float start = mode == PoolMode::kMax ? -3.4e38f : 0.0f;
    Pack<float, 4> sums{{start, start, start, start}};
    if (column >= p.width) return sums;
#pragma unroll 4
    for (int32_t row = first + ptx::warp_id() % kPoolRows; row < end; row += kPoolRows) {
        const auto pack = p.input.template load_pack<4>(static_cast<int64_t>(row) * p.input_stride + column);
        const float weight = mode == PoolMode::kWeightedMean ? static_cast<float>(row - begin + 1) : 1.0f;
#pragma unroll
        for (int i = 0; i < 4; i++) {
            const float x = ptx::to_float(pack.at[i]);
            sums.at[i] = mode == PoolMode::kMax ? fmaxf(sums.at[i], x) : fmaf(x, weight, sums.at[i]);
        }
    }
    return sums;
}

// What the sum of the rows first .. end is divided by.
__device__ __forceinline__ float pool_divisor(PoolMode mode, int32_t begin, int32_t first, int32_t end) {
    const int32_t rows = end - first;
    if (mode == PoolMode::kMeanSqrtLen) return sqrtf(static_cast<float>(rows));
    if (mode != PoolMode::kWeightedMean) return static_cast<float>(rows);
    return static_cast<float>(static_cast<int64_t>(first - begin + 1 + end - begin) * rows / 2);
}

// One column of the result from the 8 sums, which lie kPoolColumns apart.
template <typename T>
__device__ __forceinline__ float pool_column(const PoolParams<T>& p, const Shared<float>& sums, int at,
                                             PoolMode mode, int32_t begin, int32_t first, int32_t end,
                                             int32_t column) {
    const auto value = [&](int32_t row) {
        return ptx::to_float(p.input.load(static_cast<int64_t>(row) * p.input_stride + column));
    };
    if (mode == PoolMode::kCls) return value(first < end ? first : begin);
    if (first >= end) return 0.0f;
    if (mode == PoolMode::kLastToken) return value(end - 1);
    float total = sums.load(at);
    for (int r = 1; r < kPoolRows; r++) {
        const float sum = sums.load(at + r * kPoolColumns);
        total = mode == PoolMode::kMax ? fmaxf(total, sum) : total + sum;
    }
    return mode == PoolMode::kMax ? total : total / pool_divisor(mode, begin, first, end);
}

// One block an SM as the bound: left to choose, ptxas aims at three of 40 registers a thread and spills.
template <typename T>
__global__ void __launch_bounds__(kPoolGroups* kPoolRows * 32, 1) pool_kernel(PoolParams<T> p) {
    const int32_t sequence = ptx::block_x();
    const int group = ptx::warp_id() / kPoolRows, lane = ptx::lane_id();
    const int32_t columns = p.width * p.num_modes, threads = p.groups * kPoolRows * 32;
    const Shared<float> shared = ptx::shared_memory<float>();
    const Shared<float> sums = shared.part(0, p.groups * kPoolRows * kPoolColumns);
    const Shared<float> pooled = shared.part(p.groups * kPoolRows * kPoolColumns, p.normalizes ? columns : 0);
    const int64_t out = static_cast<int64_t>(sequence) * p.stride;
    const int32_t begin = p.cu_seqlens.load(sequence), end = p.cu_seqlens.load(sequence + 1);
    const int32_t first = begin + (p.pool_skip.present() ? p.pool_skip.load(sequence) : 0);
    for (int32_t index = 0; index < p.num_modes; index++)
        for (int32_t chunk = 0; chunk < p.width; chunk += p.groups * kPoolColumns) {
            const int32_t column = chunk + group * kPoolColumns + 4 * lane;
            const auto own = pool_rows(p, p.mode(index), begin, first, end, column);
            sums.store_pack(ptx::warp_id() * kPoolColumns + 4 * lane, own);
            ptx::sync_block();
            for (int i = ptx::thread_index(); i < p.groups * kPoolColumns; i += threads) {
                if (chunk + i >= p.width) break;
                const int at = i / kPoolColumns * kPoolRows * kPoolColumns + i % kPoolColumns;
                const float x = pool_column(p, sums, at, p.mode(index), begin, first, end, chunk + i);
                if (p.normalizes)
                    pooled.store(index * p.width + chunk + i, x);
                else
                    p.output.store(out + index * p.width + chunk + i, x);
            }
            ptx::sync_block();
        }
    if (!p.normalizes) return;
    if (ptx::warp_id() == 0) {
        const float norm = row_norm(columns, [&](int32_t column) { return pooled.load(column); });
        if (lane == 0) sums.store(0, norm);
    }
    ptx::sync_block();
    const float norm = sums.load(0);
    for (int32_t column = ptx::thread_index(); column < columns; column += threads)
        p.output.store(out + column, pooled.load(column) / norm);
}

// --- normalize: output = input / max(|input|, 1e-12), one warp per row
template <typename T>
struct RowsParams {
    Global<const T> input;
    Global<float> output;
    int32_t width, input_stride, stride;
    int64_t rows;
};
template <typename T>
__global__ void normalize_kernel(RowsParams<T> p) {
    const int64_t row = row_of_warp();
    if (row >= p.rows) return;
    const auto at = [&](int32_t column) {
        return ptx::to_float(p.input.load(row * p.input_stride + column));
    };
    const float norm = row_norm(p.width, at);
    for (int32_t column = ptx::lane_id(); column < p.width; column += 32)
        p.output.store(row * p.stride + column, at(column) / norm);
}
template <typename T>
__global__ void compact_kernel(RowsParams<T> p) {
    const int64_t row = row_of_warp();
    if (row >= p.rows) return;
    for (int32_t column = ptx::lane_id(); column < p.width; column += 32)
        p.output.store(row * p.stride + column, ptx::to_float(p.input.load(row * p.input_stride + column)));
}

}  // namespace

void embed(const EmbedArgs& args, const DeviceBatch& batch, const Tensor& output, Stream stream) {
    with_type(output.type, [&](auto as) {
        using T = typename decltype(as)::type;
        const EmbedParams<T> params{embeddings<T>(args, batch), global<T>(output), output.width,
                                    output.stride, output.rows};
        launch<EmbedParams<T>, embed_kernel<T>>("embed", warp_per_row(output.rows), stream, params);
    });
}

void gather_rows(const Tensor& input, bool first_token, const DeviceBatch& batch, const Tensor& output,
                 Stream stream) {
    with_type(input.type, [&](auto as) {
        using T = typename decltype(as)::type;
        const GatherParams<T> params{global<const T>(input),
                                     global(first_token ? batch.cu_seqlens : batch.selected),
                                     global<float>(output),
                                     output.width,
                                     input.stride,
                                     output.stride,
                                     output.rows};
        launch<GatherParams<T>, gather_kernel<T>>("gather_rows", warp_per_row(output.rows), stream, params);
    });
}

void pool(const Tensor& input, const PoolMode* modes, int32_t num_modes, bool normalizes,
          const DeviceBatch& batch, const Tensor& output, Stream stream) {
    // As few rounds as the groups allow, and then as few groups.
    const int64_t chunks = ceil_div(input.width, kPoolColumns);
    const int64_t groups = ceil_div(chunks, ceil_div(chunks, kPoolGroups));
    Grid grid;
    grid.x = static_cast<int>(output.rows);
    grid.threads = static_cast<int>(groups) * kPoolRows * 32;
    grid.shared_bytes = sizeof(float) * (static_cast<size_t>(groups) * kPoolRows * kPoolColumns +
                                         (normalizes ? static_cast<size_t>(output.width) : 0));
    with_type(input.type, [&](auto as) {
        using T = typename decltype(as)::type;
        PoolParams<T> params{global<const T>(input),
                             global(batch.cu_seqlens),
                             global(batch.pool_skip),
                             global<float>(output),
                             input.width,
                             input.stride,
                             output.stride,
                             num_modes,
                             static_cast<int32_t>(groups),
                             normalizes,
                             0};
        for (int32_t i = 0; i < num_modes; i++) params.modes |= static_cast<uint32_t>(modes[i]) << 4 * i;
        launch<PoolParams<T>, pool_kernel<T>>(normalizes ? "pool_normalize" : "pool", grid, stream, params);
    });
}

void normalize(const Tensor& input, const Tensor& output, Stream stream) {
    with_type(input.type, [&](auto as) {
        using T = typename decltype(as)::type;
        const RowsParams<T> params{global<const T>(input), global<float>(output), input.width,
                                   input.stride,           output.stride,         input.rows};
        launch<RowsParams<T>, normalize_kernel<T>>("normalize", warp_per_row(input.rows), stream, params);
    });
}

void compact(const Tensor& input, float* output, Stream stream) {
    with_type(input.type, [&](auto as) {
        using T = typename decltype(as)::type;
        const RowsParams<T> params{global<const T>(input),
                                   {output, input.rows * input.width},
                                   input.width,
                                   input.stride,
                                   input.width,
                                   input.rows};
        launch<RowsParams<T>, compact_kernel<T>>("compact", warp_per_row(input.rows), stream, params);
    });
}

}  // namespace bertha::cuda
