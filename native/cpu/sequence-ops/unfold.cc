#include "cpu/sequence-ops/unfold.h"

#include <algorithm>

namespace bertha::cpu {

void unfold(const float* x, int64_t seq_len, int64_t width, int64_t size, float* out) {
    for (int64_t row = 0; row < seq_len; row++, out += width * size) {
        for (int64_t j = 0; j < size; j++) {
            const int64_t from = row + j - size / 2;
            if (from >= 0 && from < seq_len)
                for (int64_t i = 0; i < width; i++) out[i * size + j] = x[from * width + i];
            else
                for (int64_t i = 0; i < width; i++) out[i * size + j] = 0.0f;
        }
    }
}

void unfold_sequences(const float* x, const int32_t* offsets, int64_t sequences, int64_t width, int64_t size,
                      float* out, Team& team) {
    if (offsets == nullptr) return;
    team.run(sequences, [&](int64_t unit, int) {
        const int64_t begin = offsets[unit] * width;
        unfold(x + begin, offsets[unit + 1] - offsets[unit], width, size, out + begin * size);
    });
}

void unfold_grad(const float* grad, int64_t seq_len, int64_t width, int64_t size, float* grad_x) {
    for (int64_t row = 0; row < seq_len; row++, grad_x += width) {
        std::fill(grad_x, grad_x + width, 0.0f);
        for (int64_t j = 0; j < size; j++) {
            const int64_t reader = row - j + size / 2;
            if (reader < 0 || reader >= seq_len) continue;
            const float* from = grad + reader * width * size + j;
            for (int64_t i = 0; i < width; i++) grad_x[i] += from[i * size];
        }
    }
}

}  // namespace bertha::cpu
