// Gradients of lookups. The rows that read one row of a table are added in their order by one unit: the same
// bits for any number of threads, and no atomics.
#pragma once

#include <cstdint>

#include "engine/pool/team.h"
#include "engine/program/op_options.h"

namespace bertha::cpu {

// A table and the rows that read it.
struct LookupGradArgs {
    const float* grad_output = nullptr;  // [rows, width]
    const int32_t* keys = nullptr;       // [rows]: which row of the table each read, less key_offset
    float* grad_table = nullptr;         // [table rows, width]; added to
    int64_t rows = 0;
    int64_t width = 0;
    int64_t key_offset = 0;
    int64_t frozen_row = kNoIndex;  // of the table: gets nothing (padding_idx)
    float scale = 1.0f;             // what the lookup multiplied the rows by
};

// Words by id, positions by place, token types: one call for each table. Throws std::bad_alloc.
void lookup_grad(const LookupGradArgs& args, Team& team);

// The gradient of gathered rows: grad_input [rows, width] is written, row places[i] with the sum of the rows
// i of grad_output [count, width], in order; the others are 0.
void scatter_rows(const float* grad_output, const int32_t* places, int64_t count, int64_t width,
                  float* grad_input, int64_t rows);

}  // namespace bertha::cpu
