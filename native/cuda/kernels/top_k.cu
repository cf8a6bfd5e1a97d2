// top_k: output [rows, 1 + 2k] = log-sum-exp, the k largest values of a row of input [rows, width] fp32,
// their columns; among equals the lower column first. One block per row; each round finds the largest entry
// after the last one in that order, so nothing is marked or stored.
#include "cuda/device/types.cuh"

namespace bertha::cuda {
namespace {

constexpr int kThreads = 256;
constexpr int kWarps = kThreads / 32;
constexpr int32_t kNone = 0x7fffffff;

struct TopKParams {
    Global<const float> input;
    Global<float> output;
    int32_t width, input_stride, stride, k;
};

struct Entry {
    float value;
    int32_t column;
};
__device__ __forceinline__ bool before(Entry a, Entry b) {
    return b.column == kNone ||
           (a.column != kNone && (a.value > b.value || (a.value == b.value && a.column < b.column)));
}

__global__ void top_k_kernel(TopKParams p) {
    const Shared<float> values = ptx::shared_memory<float>().part(0, kWarps);
    const Shared<int32_t> columns = ptx::shared_memory<int32_t>().part(kWarps, kWarps);
    const int64_t row = static_cast<int64_t>(ptx::block_x()) * p.input_stride;
    const int64_t out = static_cast<int64_t>(ptx::block_x()) * p.stride;
    Entry last{0.0f, kNone};
    for (int32_t rank = 0; rank < p.k; rank++) {
        Entry best{0.0f, kNone};
        for (int32_t column = ptx::thread_index(); column < p.width; column += kThreads) {
            const Entry entry{p.input.load(row + column), column};
            const bool taken = rank > 0 && !before(last, entry);
            if (!taken && before(entry, best)) best = entry;
        }
        for (int mask = 16; mask > 0; mask /= 2) {
            const Entry other{ptx::shuffle_xor(best.value, mask), ptx::shuffle_xor(best.column, mask)};
            if (before(other, best)) best = other;
        }
        if (ptx::lane_id() == 0) {
            values.store(ptx::warp_id(), best.value);
            columns.store(ptx::warp_id(), best.column);
        }
        ptx::sync_block();
        for (int warp = 0; warp < kWarps; warp++) {
            const Entry other{values.load(warp), columns.load(warp)};
            if (before(other, best)) best = other;
        }
        ptx::sync_block();
        last = best;
        if (ptx::thread_index() == 0) {
            p.output.store(out + 1 + rank, best.value);
            p.output.store(out + 1 + p.k + rank,
                           best.column == kNone ? 0.0f : static_cast<float>(best.column));
        }
        if (rank > 0) continue;
        const float peak = best.value;
        float sum = 0.0f;
        for (int32_t column = ptx::thread_index(); column < p.width; column += kThreads)
            sum += expf(p.input.load(row + column) - peak);
        sum = ptx::warp_sum(sum);
        if (ptx::lane_id() == 0) values.store(ptx::warp_id(), sum);
        ptx::sync_block();
        float total = 0.0f;
        for (int warp = 0; warp < kWarps; warp++) total += values.load(warp);
        if (ptx::thread_index() == 0) p.output.store(out, peak + logf(total));
        ptx::sync_block();
    }
}

// output [rows, 1 + kTargetsPerRow] = log-sum-exp of the row, then the columns that the caller names for it.
struct PickParams {
    Global<const float> input;
    Global<const int32_t> targets;
    Global<float> output;
    int32_t width, input_stride, stride;
};

__global__ void pick_targets_kernel(PickParams p) {
    const Shared<float> parts = ptx::shared_memory<float>().part(0, 2 * kWarps);
    const int64_t row = static_cast<int64_t>(ptx::block_x()) * p.input_stride;
    const int64_t out = static_cast<int64_t>(ptx::block_x()) * p.stride;
    float peak = -INFINITY, sum = 0.0f;
    for (int32_t column = ptx::thread_index(); column < p.width; column += kThreads)
        peak = fmaxf(peak, p.input.load(row + column));
    peak = ptx::warp_max(peak);
    if (ptx::lane_id() == 0) parts.store(ptx::warp_id(), peak);
    ptx::sync_block();
    for (int warp = 0; warp < kWarps; warp++) peak = fmaxf(peak, parts.load(warp));
    for (int32_t column = ptx::thread_index(); column < p.width; column += kThreads)
        sum += expf(p.input.load(row + column) - peak);
    sum = ptx::warp_sum(sum);
    if (ptx::lane_id() == 0) parts.store(kWarps + ptx::warp_id(), sum);
    ptx::sync_block();
    if (ptx::thread_index() == 0) {
        float total = 0.0f;
        for (int warp = 0; warp < kWarps; warp++) total += parts.load(kWarps + warp);
        p.output.store(out, peak + logf(total));
    } else if (ptx::thread_index() <= kTargetsPerRow) {
        const int32_t place = ptx::thread_index() - 1;
        const int32_t column = p.targets.load(static_cast<int64_t>(ptx::block_x()) * kTargetsPerRow + place);
        p.output.store(out + 1 + place, p.input.load(row + column));
    }
}

}  // namespace

void pick_targets(const Tensor& input, const DeviceBatch& batch, const Tensor& output, Stream stream) {
    const PickParams params{global<const float>(input),
                            global(batch.targets),
                            global<float>(output),
                            input.width,
                            input.stride,
                            output.stride};
    Grid grid;
    grid.x = static_cast<int>(input.rows);
    grid.threads = kThreads;
    grid.shared_bytes = 2 * kWarps * 4;
    launch<PickParams, pick_targets_kernel>("pick_targets", grid, stream, params);
}

void top_k(const Tensor& input, int32_t k, const Tensor& output, Stream stream) {
    const TopKParams params{
        global<const float>(input), global<float>(output), input.width, input.stride, output.stride, k};
    Grid grid;
    grid.x = static_cast<int>(input.rows);
    grid.threads = kThreads;
    grid.shared_bytes = 2 * kWarps * 4;
    launch<TopKParams, top_k_kernel>("top_k", grid, stream, params);
}

}  // namespace bertha::cuda
