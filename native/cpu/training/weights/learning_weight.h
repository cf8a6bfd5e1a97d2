// How the weights of a program learn.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/program/program.h"

namespace bertha::cpu {

// A rectangle of a weight.
struct WeightBlock {
    int64_t row_begin = 0, rows = 0;
    int64_t col_begin = 0, cols = 0;
};

// How one weight learns.
struct LearningWeight {
    bool trainable = false;
    bool decays = false;
    // Of a matrix: the table that is the same parameter. Its panels are a copy of the table's rows, refreshed
    // after each update, and its gradient is added to the table's.
    int32_t tied_to = kNoIndex;
    bool needs_transposed = false;    // of a matrix: a gradient goes through it
    bool rounds = false;              // of a matrix: its products are of bf16 numbers
    int64_t frozen_row = kNoIndex;    // of a table: lookups give it no gradient (padding_idx)
    std::vector<WeightBlock> blocks;  // what of it learns, the rest has no gradient; empty: all of it
};

}  // namespace bertha::cpu
