// Where each value of a program lives. Row-wise ops are grouped into segments that may run over any block of
// rows; a value that only its own segment reads needs memory for one block, every other value gets rows in
// the arena. Memory is reused once a value is dead.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/program/program.h"

namespace bertha {

struct Segment {
    int32_t op_begin = 0;  // ops op_begin .. op_end
    int32_t op_end = 0;
    bool row_wise = false;
    int32_t domain = kTokenDomain;
    int64_t block_width = 0;  // floats that one row of a block needs for the segment's internal values
};

struct Placement {
    bool internal = false;  // lives in its segment's block memory
    int64_t offset = 0;  // in floats per row: the value starts at offset * rows (of the arena part or of the
                         // block)
};

struct Plan {
    std::vector<Segment> segments;
    std::vector<Placement> values;
    // Floats per row of the arena, by domain. The parts follow one another; kPairs have none.
    std::vector<int64_t> arena_width;
};

Plan make_plan(const Program& program);

}  // namespace bertha
