// Queries behind the keys: tokens that see a sequence and that none of it sees (ColBERT's padded queries).
#pragma once

#include <algorithm>
#include <cstring>

#include "cpu/kernels.h"

namespace bertha::cpu {

// Floats that attend_to_first_keys needs beside the kernel's scratch.
inline int64_t first_keys_scratch(const AttentionArgs& longest) {
    return 2 * longest.seq_len * longest.head_dim;
}

// The rows of a sequence, of which only the first `keys` are keys. Those are a sequence of their own; the
// other queries are computed as many at a time as there are keys, in `rows`. No positions count.
inline void attend_to_first_keys(const AttentionArgs& args, int64_t keys,
                                 void (*attention)(const AttentionArgs&), float* rows) {
    AttentionArgs seen = args;
    seen.seq_len = keys;
    attention(seen);
    const int64_t width = args.head_dim;
    const auto row_bytes = static_cast<size_t>(width) * sizeof(float);
    AttentionArgs others = seen;
    others.query = rows;
    others.query_stride = others.hidden_size = width;
    others.context = rows + keys * width;
    for (int64_t begin = keys; begin < args.seq_len; begin += keys) {
        const int64_t count = std::min(keys, args.seq_len - begin);
        std::fill(rows + count * width, rows + keys * width, 0.0f);
        for (int64_t i = 0; i < count; i++)
            std::memcpy(rows + i * width, args.query + (begin + i) * args.query_stride, row_bytes);
        attention(others);
        for (int64_t i = 0; i < count; i++)
            std::memcpy(args.context + (begin + i) * args.hidden_size, others.context + i * width, row_bytes);
    }
}

}  // namespace bertha::cpu
