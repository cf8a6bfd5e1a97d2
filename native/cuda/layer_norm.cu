// LayerNorm: one warp per row; the row stays in registers between the passes, so that it is read once.
//   input, output [rows, width]   weight, bias [width] fp32
// The mean is subtracted, then the mean of what is left: that keeps 1e-6 even at mean 1e4 and deviation 0.02.
#include "cuda/types.cuh"

namespace bertha::cuda {
namespace {

constexpr int kThreads = 128;
constexpr int kWarps = kThreads / 32;
constexpr int kWidthOfPack = 256;  // columns that a warp takes with one load of 8 elements a lane

template <typename T>
struct LayerNormParams {
    Global<const T> input;
    Global<const float> weight, bias;  // padded to a multiple of 8
    Global<T> output;
    int32_t width, stride;
    int64_t rows;
    float eps;
};

// kPacks x 8 values a lane; a row has at most kPacks * 256 columns.
template <typename T, int kPacks>
__global__ void layer_norm_kernel(LayerNormParams<T> p) {
    constexpr int kPack = 16 / sizeof(T);
    const int64_t row = static_cast<int64_t>(ptx::block_x()) * kWarps + ptx::warp_id();
    if (row >= p.rows) return;
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
            const auto pack = p.input.template load_pack<kPack>(row * p.stride + column + part);
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
                const auto bias = p.bias.template load_pack<4>(column + part + half);
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
__global__ void layer_norm_wide_kernel(LayerNormParams<T> p) {
    const int64_t row = static_cast<int64_t>(ptx::block_x()) * kWarps + ptx::warp_id();
    if (row >= p.rows) return;
    const float inverse_width = 1.0f / static_cast<float>(p.width);
    const auto at = [&](int32_t column) { return ptx::to_float(p.input.load(row * p.stride + column)); };
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
        p.output.store(row * p.stride + column,
                       ptx::from_float<T>(fmaf((at(column) - mean - correction) * scale,
                                               p.weight.load(column), p.bias.load(column))));
}

}  // namespace

void layer_norm(const Tensor& input, Floats weight, Floats bias, float eps, const Tensor& output,
                Stream stream) {
    with_type(input.type, [&](auto as) {
        using T = typename decltype(as)::type;
        using Params = LayerNormParams<T>;
        const Params params{
            global<const T>(input), global(weight), global(bias), global<T>(output), input.width,
            input.stride,           input.rows,     eps};
        Grid grid;
        grid.x = static_cast<int>(ceil_div(input.rows, kWarps));
        grid.threads = kThreads;
        const int64_t packs = ceil_div(input.width, kWidthOfPack);
        if (packs <= 1) return launch<Params, layer_norm_kernel<T, 1>>("layer_norm", grid, stream, params);
        if (packs == 2) return launch<Params, layer_norm_kernel<T, 2>>("layer_norm", grid, stream, params);
        if (packs == 3) return launch<Params, layer_norm_kernel<T, 3>>("layer_norm", grid, stream, params);
        if (packs == 4) return launch<Params, layer_norm_kernel<T, 4>>("layer_norm", grid, stream, params);
        launch<Params, layer_norm_wide_kernel<T>>("layer_norm", grid, stream, params);
    });
}

}  // namespace bertha::cuda
