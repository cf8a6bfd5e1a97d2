// Neighbours of a token, side by side: a convolution as a product.
#pragma once

#include <cstdint>

#include "engine/pool/team.h"

namespace bertha::cpu {

// x [seq_len, width] of one sequence -> out [seq_len, width * size], as ops::Unfold says.
void unfold(const float* x, int64_t seq_len, int64_t width, int64_t size, float* out);

// All sequences of x [tokens, width]; offsets [sequences + 1], or null: no rows.
void unfold_sequences(const float* x, const int32_t* offsets, int64_t sequences, int64_t width, int64_t size,
                      float* out, Team& team);

// The gradient of x from that of out.
void unfold_grad(const float* grad, int64_t seq_len, int64_t width, int64_t size, float* grad_x);

}  // namespace bertha::cpu
