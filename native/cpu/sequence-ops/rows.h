// Rows that are copied, and sequences that are pooled.
#pragma once

#include <cstdint>

#include "cpu/kernels.h"
#include "engine/pool/team.h"
#include "engine/program/ops.h"

namespace bertha::cpu {

// out [count, width] = the rows of x that `from` [count] names
void copy_rows(const float* x, const int32_t* from, int64_t count, int64_t width, float* out);

// out [rows, width] = columns of x [rows, stride], of which x points to the first
void copy_columns(const float* x, int64_t stride, int64_t rows, int64_t width, float* out);

// out [sequences, width * modes] from x [tokens, width]; skip [sequences] or null: 0
void pool_sequences(const KernelTable& kernels, const ops::Pool& op, const float* x, const int32_t* offsets,
                    const int32_t* skip, int64_t sequences, int64_t width, float* out, Team& team);

}  // namespace bertha::cpu
