// A product that is reduced over the tokens of each sequence while it is computed (SPLADE).
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/kernels.h"
#include "engine/allocator.h"
#include "engine/backend.h"
#include "engine/program/ops.h"

namespace bertha::cpu {

constexpr int64_t kPoolLinearRows = 64;  // products of so many rows and panels are kept at a time
constexpr int64_t kPoolLinearPanels = 4;

// Floats that pool_linear needs beside its output.
inline int64_t pool_linear_scratch(const MatrixFormat& format) {
    return kPoolLinearRows * kPoolLinearPanels * format.panel_width;
}

struct PoolLinearCall {
    const ops::PoolLinear& op;
    const MatrixFormat& format;  // reads fp32 rows
    LinearArgs product;          // input, matrix and bias
    const int32_t* offsets;      // [sequences + 1]
    int64_t sequences;
    float* output;  // [sequences, n]
};

// Threads share the columns. A sequence's rows come in order, so that its sums do not depend on the batch.
// scratch: a buffer a member, of pool_linear_scratch floats.
void pool_linear(const PoolLinearCall& call, const std::vector<Buffer>& scratch, Team& team,
                 Control& control);

}  // namespace bertha::cpu
