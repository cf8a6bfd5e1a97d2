// Ops that move or reduce rows: embedding lookup, gathering, pooling, L2 normalisation, copying out. They are
// bound by memory and take 1-3 % of a forward.
#include "cuda/types.cuh"

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

// --- embed: output[row] = word[id] + type[type_id] + position[position], one warp per token, summed in fp32
template <typename T>
struct EmbedParams {
    Global<const T> word, position, type;
    Global<const int32_t> ids, type_ids, positions;
    Global<T> output;
    int32_t width, table_stride, stride, position_offset;
    int64_t rows;
};
template <typename T>
__global__ void embed_kernel(EmbedParams<T> p) {
    const int64_t row = row_of_warp();
    if (row >= p.rows) return;
    const int64_t word = static_cast<int64_t>(p.ids.load(row)) * p.table_stride;
    const int64_t type = p.type.present() ? static_cast<int64_t>(p.type_ids.load(row)) * p.table_stride : 0;
    const int64_t position = p.position.present()
                                 ? static_cast<int64_t>(p.positions.load(row) + p.position_offset) *
                                       p.table_stride
                                 : 0;
    for (int32_t column = ptx::lane_id(); column < p.width; column += 32) {
        float x = ptx::to_float(p.word.load(word + column));
        if (p.type.present()) x += ptx::to_float(p.type.load(type + column));
        if (p.position.present()) x += ptx::to_float(p.position.load(position + column));
        p.output.store(row * p.stride + column, ptx::from_float<T>(x));
    }
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

// --- pool: one thread per column of one sequence; sums run over the tokens in order, so that a text's bits
// do not depend on its batch. With every token skipped the result is zero, never NaN.
template <typename T>
struct PoolParams {
    Global<const T> input;
    Global<const int32_t> cu_seqlens, pool_skip;
    Global<float> output;
    int32_t width, input_stride, stride, num_modes;
    PoolMode modes[6];
};
template <typename T>
__device__ float pool_column(const PoolParams<T>& p, PoolMode mode, int32_t begin, int32_t end, int32_t skip,
                             int32_t column) {
    const auto at = [&](int32_t row) {
        return ptx::to_float(p.input.load(static_cast<int64_t>(row) * p.input_stride + column));
    };
    if (mode == PoolMode::kCls) return at(begin);
    if (begin + skip >= end) return 0.0f;
    if (mode == PoolMode::kLastToken) return at(end - 1);
    float total = mode == PoolMode::kMax ? -3.4e38f : 0.0f, divisor = 0.0f;
    for (int32_t row = begin + skip; row < end; row++) {
        const float x = at(row);
        const float weight = mode == PoolMode::kWeightedMean ? static_cast<float>(row - begin + 1) : 1.0f;
        divisor += weight;
        total = mode == PoolMode::kMax ? fmaxf(total, x) : fmaf(x, weight, total);
    }
    if (mode == PoolMode::kMax) return total;
    return total / (mode == PoolMode::kMeanSqrtLen ? sqrtf(divisor) : divisor);
}
template <typename T>
__global__ void pool_kernel(PoolParams<T> p) {
    const int32_t sequence = ptx::block_x();
    const int32_t column = ptx::block_y() * kThreads + ptx::thread_index();
    if (column >= p.width) return;
    const int32_t begin = p.cu_seqlens.load(sequence), end = p.cu_seqlens.load(sequence + 1);
    const int32_t skip = p.pool_skip.present() ? p.pool_skip.load(sequence) : 0;
    for (int32_t mode = 0; mode < p.num_modes; mode++)
        p.output.store(static_cast<int64_t>(sequence) * p.stride + mode * p.width + column,
                       pool_column(p, p.modes[mode], begin, end, skip, column));
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
    float squares = 0.0f;
    for (int32_t column = ptx::lane_id(); column < p.width; column += 32) {
        const float x = ptx::to_float(p.input.load(row * p.input_stride + column));
        squares = fmaf(x, x, squares);
    }
    const float norm = fmaxf(sqrtf(ptx::warp_sum(squares)), 1e-12f);
    for (int32_t column = ptx::lane_id(); column < p.width; column += 32)
        p.output.store(row * p.stride + column,
                       ptx::to_float(p.input.load(row * p.input_stride + column)) / norm);
}
template <typename T>
__global__ void compact_kernel(RowsParams<T> p) {
    const int64_t row = row_of_warp();
    if (row >= p.rows) return;
    for (int32_t column = ptx::lane_id(); column < p.width; column += 32)
        p.output.store(row * p.stride + column, ptx::to_float(p.input.load(row * p.input_stride + column)));
}

}  // namespace

void embed(const Tensor& word, const Tensor& position, const Tensor& type, int32_t position_offset,
           const DeviceBatch& batch, const Tensor& output, Stream stream) {
    with_type(output.type, [&](auto as) {
        using T = typename decltype(as)::type;
        const EmbedParams<T> params{global<const T>(word),
                                    global<const T>(position),
                                    global<const T>(type),
                                    global(batch.input_ids),
                                    global(batch.token_type_ids),
                                    global(batch.positions),
                                    global<T>(output),
                                    output.width,
                                    word.stride,
                                    output.stride,
                                    position_offset,
                                    output.rows};
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

void pool(const Tensor& input, const PoolMode* modes, int32_t num_modes, const DeviceBatch& batch,
          const Tensor& output, Stream stream) {
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
                             {}};
        for (int32_t i = 0; i < num_modes; i++) params.modes[i] = modes[i];
        Grid grid;
        grid.x = static_cast<int>(output.rows);
        grid.y = static_cast<int>(ceil_div(input.width, kThreads));
        grid.threads = kThreads;
        launch<PoolParams<T>, pool_kernel<T>>("pool", grid, stream, params);
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
