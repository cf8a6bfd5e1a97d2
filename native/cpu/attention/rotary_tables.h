// By how much rows turn at each position (RoPE): cosines and sines, computed once for all positions that the
// model allows, and once for all ops of the same frequencies.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/allocator.h"
#include "engine/program/program.h"

namespace bertha::cpu {

class RotaryTables {
public:
    explicit RotaryTables(const Program& program);

    // [positions, 2, pairs]: the cosines of a position's angles, then their sines. Null where nothing turns.
    const float* of(const ops::Attention& op) const;
    int64_t bytes() const;

private:
    struct Table {
        std::vector<float> inverse_frequencies;
        int64_t positions;
        Buffer turns;
    };
    std::vector<Table> tables_;
};

}  // namespace bertha::cpu
