// What ops look up by position or distance, computed once for all that the model allows, and once for all ops
// that look up the same: positions as sines and cosines, by how much rows turn (RoPE), and the row of
// disentangled scores' tables.
#pragma once

#include <cstdint>
#include <vector>

#include "engine/allocator.h"
#include "engine/program/program.h"

namespace bertha::cpu {

class PositionTables {
public:
    explicit PositionTables(const Program& program);

    // [positions, 2, pairs]: the cosines of a position's angles, then their sines. Null where nothing turns.
    const float* turns(const ops::Attention& op) const;
    // For texts of seq_len tokens [2 * seq_len - 1]: entry seq_len - 1 + (key - query). Null where scores are
    // not disentangled.
    const int32_t* rows(const ops::Attention& op, int64_t seq_len) const;
    // Of a lookup whose positions are computed [positions, width]; else null.
    const float* sinusoids(const ops::Embed& op, int64_t width) const;
    int64_t bytes() const;

private:
    struct Sinusoids {
        int64_t positions, width;
        Buffer values;
    };
    struct Turns {
        std::vector<float> inverse_frequencies;
        int64_t positions;
        Buffer values;
    };
    struct Rows {
        std::vector<int32_t> buckets;
        std::vector<int32_t> reversed;
    };
    void add_sinusoids(const Program& program, const ops::Embed& op);
    void add_turns(const Program& program, const ops::Attention& op);
    void compute_turns(Turns& table) const;

    std::vector<Sinusoids> sinusoids_;  // one a width
    std::vector<Turns> turns_;
    std::vector<Rows> rows_;
};

}  // namespace bertha::cpu
