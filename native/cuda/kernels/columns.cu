// Ops that take each row by itself and move or change its columns: activation, slice, unfold. A warp takes a
// row; they are bound by memory.
#include "cuda/device/epilogue.cuh"

namespace bertha::cuda {
namespace {

constexpr int kWarps = 4;

// Calls use(row, column) for the columns of the warp's row.
template <typename Use>
__device__ __forceinline__ void for_each_column(int64_t rows, int32_t width, Use&& use) {
    const int64_t row = static_cast<int64_t>(ptx::block_x()) * kWarps + ptx::warp_id();
    if (row >= rows) return;
    for (int32_t column = ptx::lane_id(); column < width; column += 32) use(row, column);
}
Grid warp_per_row(int64_t rows) {
    Grid grid;
    grid.x = static_cast<int>(ceil_div(rows, kWarps));
    grid.threads = kWarps * 32;
    return grid;
}

template <typename T>
struct ColumnsParams {
    Global<const T> input;
    Global<T> output;
    int64_t rows;
    int32_t width, input_stride, stride;  // width: of the output
};
template <typename T>
ColumnsParams<T> columns_params(const Tensor& input, const Tensor& output) {
    return {global<const T>(input), global<T>(output), output.rows,
            output.width,           input.stride,      output.stride};
}

// --- activate: activation(input) + residual, or of input = [a, b] activation(a) · b
template <typename T>
struct ActivateParams {
    ColumnsParams<T> columns;
    Global<const T> residual;
    int32_t residual_stride;
    Activation activation;
    bool gated;
};
template <typename T>
__global__ void activate_kernel(ActivateParams<T> p) {
    const ColumnsParams<T>& c = p.columns;
    for_each_column(c.rows, c.width, [&](int64_t row, int32_t column) {
        const int64_t from = row * c.input_stride + column;
        float x[1] = {ptx::to_float(c.input.load(from))};
        activate_any<T>(p.activation, x);
        if (p.gated) x[0] *= ptx::to_float(c.input.load(from + c.width));
        if (p.residual.present())
            x[0] = ptx::add(x[0], ptx::to_float(p.residual.load(row * p.residual_stride + column)));
        c.output.store(row * c.stride + column, ptx::from_float<T>(x[0]));
    });
}

// --- slice: columns `begin` .. of the input
template <typename T>
struct SliceParams {
    ColumnsParams<T> columns;
    int32_t begin;
};
template <typename T>
__global__ void slice_kernel(SliceParams<T> p) {
    const ColumnsParams<T>& c = p.columns;
    for_each_column(c.rows, c.width, [&](int64_t row, int32_t column) {
        c.output.store(row * c.stride + column, c.input.load(row * c.input_stride + p.begin + column));
    });
}

// --- unfold: column c * size + j is column c of the token j - size / 2 further on in the same sequence
template <typename T>
struct UnfoldParams {
    ColumnsParams<T> columns;
    Global<const int32_t> places;  // of each token its row in its sequence
    int32_t size;
};
template <typename T>
__global__ void unfold_kernel(UnfoldParams<T> p) {
    const ColumnsParams<T>& c = p.columns;
    for_each_column(c.rows, c.width, [&](int64_t row, int32_t column) {
        const int32_t away = column % p.size - p.size / 2;
        const int64_t from = row + away;
        // Rows of one sequence, and they alone, have places that differ by as much as the rows do.
        const bool inside = from >= 0 && from < c.rows && p.places.load(from) - p.places.load(row) == away;
        c.output.store(row * c.stride + column, inside ? c.input.load(from * c.input_stride + column / p.size)
                                                       : ptx::from_float<T>(0.0f));
    });
}

}  // namespace

void activate(const Tensor& input, Activation activation, bool gated, const Tensor& residual,
              const Tensor& output, Stream stream) {
    with_type(output.type, [&](auto as) {
        using T = typename decltype(as)::type;
        const ActivateParams<T> params{columns_params<T>(input, output), global<const T>(residual),
                                       residual.stride, activation, gated};
        launch<ActivateParams<T>, activate_kernel<T>>("activate", warp_per_row(output.rows), stream, params);
    });
}

void slice(const Tensor& input, int32_t begin, const Tensor& output, Stream stream) {
    with_type(output.type, [&](auto as) {
        using T = typename decltype(as)::type;
        const SliceParams<T> params{columns_params<T>(input, output), begin};
        launch<SliceParams<T>, slice_kernel<T>>("slice", warp_per_row(output.rows), stream, params);
    });
}

void unfold(const Tensor& input, int32_t size, const DeviceBatch& batch, const Tensor& output,
            Stream stream) {
    with_type(output.type, [&](auto as) {
        using T = typename decltype(as)::type;
        const UnfoldParams<T> params{columns_params<T>(input, output), global(batch.rows), size};
        launch<UnfoldParams<T>, unfold_kernel<T>>("unfold", warp_per_row(output.rows), stream, params);
    });
}

}  // namespace bertha::cuda
