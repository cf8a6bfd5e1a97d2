// LayerNorm: one warp per row; the row stays in registers between the passes, so that it is read once.
//   input, output [rows, width]   weight, bias [width] fp32, the bias may be absent
// The mean is subtracted, then the mean of what is left: that keeps 1e-6 even at mean 1e4 and deviation 0.02.
//
// embed_layer_norm makes the row itself, from the embedding tables, in the place of reading it.
#include "cuda/device/embeddings.cuh"

namespace bertha::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;
constexpr int kWidthOfPack = 256;  // columns that a warp takes with one load of 8 elements a lane

// Rows as they lie in memory.
template <typename T>
struct StoredRows {
    Global<const T> input;
    int32_t stride;

    __device__ __forceinline__ int64_t row(int64_t row) const { return row * stride; }
    template <int kPack>
    __device__ __forceinline__ auto load(int64_t row, int32_t column) const {
        return input.template load_pack<kPack>(row + column);
    }
};

template <typename T, typename Rows>  // StoredRows or Embeddings
struct LayerNormParams {
    Rows input;
    Global<const float> weight, bias;  // padded to a multiple of 8; the bias may be absent
    Global<T> output;
    int32_t width, stride;  // stride: of the output
    int64_t rows;
    float eps;
};

// kPacks x 8 values a lane; a row has at most kPacks * 256 columns.
template <typename T, typename Rows, int kPacks>
__global__ void layer_norm_kernel(LayerNormParams<T, Rows> p) {
    constexpr int kPack = 16 / sizeof(T);
    const int64_t row = static_cast<int64_t>(ptx::block_x()) * kWarps + ptx::warp_id();
    if (row >= p.rows) return;
    const auto from = p.input.row(row);
    const float inverse_width = 1.0f / static_cast<float>(p.width);
    float x[kPacks][8];
    float sum = 0.0f;
#pragma unroll
    for (int i = 0; i < kPacks; i++) {
        const int32_t column = (i * 32 + ptx::lane_id()) * 8;
        for (int j = 0; j < 8; j++) x[i][j] = 0.0f;
        if (column >= p.width) continue;
#pragma unroll
        for (int part = 0; part < 8; part += kPack) {
            const auto pack = p.input.template load<kPack>(from, column + part);
#pragma unroll
            for (int j = 0; j < kPack; j++)
                if (column + part + j < p.width) x[i][part + j] = ptx::to_float(pack.at[j]);
        }
#pragma unroll
        for (int j = 0; j < 8; j++) sum += x[i][j];
    }
    const float mean = ptx::warp_sum(sum) * inverse_width;
    float rest = 0.0f;
#pragma unroll
    for (int i = 0; i < kPacks; i++)
#pragma unroll
        for (int j = 0; j < 8; j++) {
            const bool inside = (i * 32 + ptx::lane_id()) * 8 + j < p.width;
            x[i][j] = inside ? x[i][j] - mean : 0.0f;
            rest += x[i][j];
        }
    const float correction = ptx::warp_sum(rest) * inverse_width;
    float squares = 0.0f;
#pragma unroll
    for (int i = 0; i < kPacks; i++)
#pragma unroll
        for (int j = 0; j < 8; j++) {
            const bool inside = (i * 32 + ptx::lane_id()) * 8 + j < p.width;
            x[i][j] = inside ? x[i][j] - correction : 0.0f;
            squares = fmaf(x[i][j], x[i][j], squares);
        }
    const float scale = 1.0f / sqrtf(ptx::warp_sum(squares) * inverse_width + p.eps);
#pragma unroll
    for (int i = 0; i < kPacks; i++) {
        const int32_t column = (i * 32 + ptx::lane_id()) * 8;
        if (column >= p.width) continue;
#pragma unroll
        for (int part = 0; part < 8; part += kPack) {
            Pack<T, kPack> pack;
#pragma unroll
            for (int half = 0; half < kPack; half += 4) {
                const auto weight = p.weight.template load_pack<4>(column + part + half);
                const auto bias = p.bias.present() ? p.bias.template load_pack<4>(column + part + half)
                                                   : Pack<const float, 4>{};
#pragma unroll
                for (int j = 0; j < 4; j++)
                    pack.at[half + j] = ptx::from_float<T>(
                        fmaf(x[i][part + half + j] * scale, weight.at[j], bias.at[j]));
            }
            p.output.store_pack(row * p.stride + column + part, pack);
        }
    }
}

// Rows too wide for registers: four passes over memory.
template <typename T>
__global__ void layer_norm_wide_kernel(LayerNormParams<T, StoredRows<T>> p) {
    const int64_t row = static_cast<int64_t>(ptx::block_x()) * kWarps + ptx::warp_id();
    if (row >= p.rows) return;
    const float inverse_width = 1.0f / static_cast<float>(p.width);
    const auto at = [&](int32_t column) {
        return ptx::to_float(p.input.input.load(row * p.input.stride + column));
    };
    float sum = 0.0f, rest = 0.0f, squares = 0.0f;
    for (int32_t column = ptx::lane_id(); column < p.width; column += 32) sum += at(column);
    const float mean = ptx::warp_sum(sum) * inverse_width;
    for (int32_t column = ptx::lane_id(); column < p.width; column += 32) rest += at(column) - mean;
    const float correction = ptx::warp_sum(rest) * inverse_width;
    for (int32_t column = ptx::lane_id(); column < p.width; column += 32) {
        const float d = at(column) - mean - correction;
        squares = fmaf(d, d, squares);
    }
    const float scale = 1.0f / sqrtf(ptx::warp_sum(squares) * inverse_width + p.eps);
    for (int32_t column = ptx::lane_id(); column < p.width; column += 32)
        p.output.store(
            row * p.stride + column,
            ptx::from_float<T>(fmaf((at(column) - mean - correction) * scale, p.weight.load(column),
                                    p.bias.present() ? p.bias.load(column) : 0.0f)));
}

// For rows of at most 4 packs.
template <typename T, typename Rows>
void launch_in_registers(const char* name, const LayerNormParams<T, Rows>& params, const Grid& grid,
                         Stream stream) {
    using Params = LayerNormParams<T, Rows>;
    const int64_t packs = ceil_div(params.width, kWidthOfPack);
    if (packs <= 1) return launch<Params, layer_norm_kernel<T, Rows, 1>>(name, grid, stream, params);
    if (packs == 2) return launch<Params, layer_norm_kernel<T, Rows, 2>>(name, grid, stream, params);
    if (packs == 3) return launch<Params, layer_norm_kernel<T, Rows, 3>>(name, grid, stream, params);
    launch<Params, layer_norm_kernel<T, Rows, 4>>(name, grid, stream, params);
}

Grid warp_per_row(int64_t rows) {
    Grid grid;
    grid.x = static_cast<int>(ceil_div(rows, kWarps));
    grid.threads = kThreads;
    return grid;
}

}  // namespace

void layer_norm(const Tensor& input, Floats weight, Floats bias, float eps, const Tensor& output,
                Stream stream) {
    with_type(input.type, [&](auto as) {
        using T = typename decltype(as)::type;
        using Params = LayerNormParams<T, StoredRows<T>>;
        const Params params{{global<const T>(input), input.stride},
                            global(weight),
                            global(bias),
                            global<T>(output),
                            input.width,
                            output.stride,
                            input.rows,
                            eps};
        const Grid grid = warp_per_row(input.rows);
        if (input.width <= 4 * kWidthOfPack) return launch_in_registers("layer_norm", params, grid, stream);
        launch<Params, layer_norm_wide_kernel<T>>("layer_norm", grid, stream, params);
    });
}

void embed_layer_norm(const EmbedArgs& args, Floats weight, Floats bias, float eps, const DeviceBatch& batch,
                      const Tensor& output, Stream stream) {
    static_assert(kMaxEmbedNormWidth == 4 * kWidthOfPack, "rows that fit registers");
    with_type(output.type, [&](auto as) {
        using T = typename decltype(as)::type;
        const LayerNormParams<T, Embeddings<T>> params{embeddings<T>(args, batch),
                                                       global(weight),
                                                       global(bias),
                                                       global<T>(output),
                                                       output.width,
                                                       output.stride,
                                                       output.rows,
                                                       eps};
        launch_in_registers("embed_layer_norm", params, warp_per_row(output.rows), stream);
    });
}

}  // namespace bertha::cuda
