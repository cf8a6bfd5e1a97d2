#include "cpu/sequence-ops/rows.h"

#include <cstring>

namespace bertha::cpu {

void copy_rows(const float* x, const int32_t* from, int64_t count, int64_t width, float* out) {
    for (int64_t i = 0; i < count; i++)
        std::memcpy(out + i * width, x + from[i] * width, static_cast<size_t>(width) * sizeof(float));
}

void copy_columns(const float* x, int64_t stride, int64_t rows, int64_t width, float* out) {
    for (int64_t row = 0; row < rows; row++)
        std::memcpy(out + row * width, x + row * stride, static_cast<size_t>(width) * sizeof(float));
}

void pool_sequences(const KernelTable& kernels, const ops::Pool& op, const float* x, const int32_t* offsets,
                    const int32_t* skip, int64_t sequences, int64_t width, float* out, Team& team) {
    team.run(sequences, [&](int64_t unit, int) {
        PoolArgs args;
        args.width = width;
        args.input = x + offsets[unit] * width;
        args.seq_len = offsets[unit + 1] - offsets[unit];
        args.skip = skip != nullptr ? skip[unit] : 0;
        args.output = out + unit * width * static_cast<int64_t>(op.modes.size());
        for (PoolMode mode : op.modes) {
            args.mode = mode;
            kernels.pool(args);
            args.output += args.width;
        }
    });
}

}  // namespace bertha::cpu
