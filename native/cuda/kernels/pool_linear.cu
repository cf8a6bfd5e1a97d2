// output [sequences, n] = max, or sum, over a sequence's tokens of f(input · weightᵀ + bias) (SPLADE). The
// products of kPoolLinearColumns columns at a time are made by linear and lie in memory until they have been
// reduced: all n of them would take 1 GB for 8,192 tokens and 30,522 words.
//
// A block reduces 32 columns of a sequence: a warp takes the rows r, r + 8, ..., a lane a column, and the 8
// results of a column are put together in order, so that a sequence's bits do not depend on its batch.
#include "cuda/device/types.cuh"

namespace bertha::cuda {
namespace {

constexpr int kWarps = 8;
constexpr int kColumns = 32;
constexpr int32_t kSequencesAtOnce = 32768;  // a grid's y is limited

struct ReduceParams {
    Global<const float> products;
    Global<const int32_t> cu_seqlens;
    Global<float> output;
    int32_t columns, begin, products_stride, output_stride, first_sequence, logs;
    bool sums;
};

// log(1 + max(x, 0)); of that again for two.
__device__ __forceinline__ float saturate(float x, int32_t logs) {
    if (x <= 0.0f) return 0.0f;
    const float once = log1pf(x);
    return logs == 1 ? once : log1pf(once);
}

__global__ void reduce_products_kernel(ReduceParams p) {
    const int32_t sequence = p.first_sequence + ptx::block_y();
    const int32_t column = ptx::block_x() * kColumns + ptx::lane_id();
    const int32_t begin = p.cu_seqlens.load(sequence), end = p.cu_seqlens.load(sequence + 1);
    const Shared<float> parts = ptx::shared_memory<float>();
    const bool inside = column < p.columns;
    // Everything below 0 becomes 0, so that the maximum may begin there. The logarithm grows: it is taken
    // once, of the maximum.
    float part = 0.0f;
    for (int32_t row = begin + ptx::warp_id(); inside && row < end; row += kWarps) {
        const float x = p.products.load(static_cast<int64_t>(row) * p.products_stride + column);
        part = p.sums ? part + saturate(x, p.logs) : ptx::max_or_nan(part, x);
    }
    parts.store(ptx::thread_index(), part);
    ptx::sync_block();
    if (ptx::warp_id() > 0 || !inside) return;
    for (int warp = 1; warp < kWarps; warp++) {
        const float other = parts.load(warp * kColumns + ptx::lane_id());
        part = p.sums ? part + other : ptx::max_or_nan(part, other);
    }
    p.output.store(static_cast<int64_t>(sequence) * p.output_stride + p.begin + column,
                   p.sums ? part : saturate(part, p.logs));
}

}  // namespace

void pool_linear(const PoolLinearArgs& args, const DeviceBatch& batch, Stream stream) {
    for (int32_t begin = 0; begin < args.output.width; begin += kPoolLinearColumns) {
        const int32_t left = args.output.width - begin;
        const int32_t columns = left < kPoolLinearColumns ? left : kPoolLinearColumns;
        LinearArgs product;
        product.input = args.input;
        product.weight = args.weight;
        product.weight.data = static_cast<uint8_t*>(args.weight.data) +
                              int64_t{begin} * args.weight.stride * bytes_of(args.weight.type);
        product.weight.rows = columns;
        if (args.bias.data != nullptr) product.bias = {args.bias.data + begin, args.bias.count - begin};
        product.output = args.products;
        product.output.width = columns;
        linear(product, stream);
        ReduceParams params{global<const float>(product.output),
                            global(batch.cu_seqlens),
                            global<float>(args.output),
                            columns,
                            begin,
                            product.output.stride,
                            args.output.stride,
                            0,
                            args.logs,
                            args.sums};
        Grid grid;
        grid.x = static_cast<int>(ceil_div(columns, kColumns));
        grid.threads = kWarps * 32;
        grid.shared_bytes = kWarps * kColumns * sizeof(float);
        for (int32_t first = 0; first < batch.batch_size; first += kSequencesAtOnce) {
            params.first_sequence = first;
            grid.y = batch.batch_size - first < kSequencesAtOnce ? batch.batch_size - first
                                                                 : kSequencesAtOnce;
            launch<ReduceParams, reduce_products_kernel>("pool_linear", grid, stream, params);
        }
    }
}

}  // namespace bertha::cuda
