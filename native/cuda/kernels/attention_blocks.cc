#include "cuda/kernels/attention_blocks.h"

#include <cstddef>

namespace bertha::cuda {

std::vector<int32_t> attention_blocks(const int32_t* cu_seqlens, int64_t batch_size) {
    constexpr int32_t kLong = kAttentionWarps * kQueriesOfWarp;
    std::vector<int32_t> blocks;
    const auto add_warp = [&](int32_t text, int32_t first_query) {
        blocks.push_back(text);
        blocks.push_back(first_query);
    };
    const auto length_of = [&](int32_t text) { return cu_seqlens[text + 1] - cu_seqlens[text]; };
    for (int32_t text = 0; text < batch_size; text++) {
        if (length_of(text) <= kLong) continue;
        for (int32_t block = 0; block < length_of(text); block += kLong)
            for (int32_t warp = 0; warp < kAttentionWarps; warp++)
                add_warp(text, block + warp * kQueriesOfWarp);
    }
    // The blocks with 1, 2 and 3 warps left. A text goes where it leaves least.
    std::vector<size_t> open[kAttentionWarps];
    for (int32_t text = 0; text < batch_size; text++) {
        const int32_t seq_len = length_of(text), warps = (seq_len + kQueriesOfWarp - 1) / kQueriesOfWarp;
        if (seq_len > kLong || seq_len == 0) continue;
        int32_t room = warps;
        while (room < kAttentionWarps && open[room].empty()) room++;
        size_t first = blocks.size();
        if (room < kAttentionWarps) {
            first = open[room].back();
            open[room].pop_back();
        } else {
            for (int32_t warp = 0; warp < kAttentionWarps; warp++) add_warp(-1, 0);
        }
        for (int32_t warp = 0; warp < warps; warp++, first += 2) {
            blocks[first] = text;
            blocks[first + 1] = warp * kQueriesOfWarp;
        }
        if (room > warps) open[room - warps].push_back(first);
    }
    return blocks;
}

}  // namespace bertha::cuda
