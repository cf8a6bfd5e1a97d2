// What attention looks up beside weights, on the device: how far rows turn at each position, and the slopes
// of heads. One table for all ops of the same numbers, in one allocation.
#pragma once

#include <vector>

#include "cuda/device_memory.h"
#include "cuda/kernels/kernels.h"
#include "engine/program/program.h"

namespace bertha::cuda {

class AttentionTables {
public:
    // Throws DEVICE_OOM.
    explicit AttentionTables(const Program& program);

    // [positions, 2, pairs] for all positions that the model allows: cosines, then sines. Nothing where
    // nothing turns.
    Floats turns(const ops::Attention& op) const;
    // [num_heads], or nothing.
    Floats slopes(const ops::Attention& op) const;
    int64_t bytes() const { return static_cast<int64_t>(memory_.bytes()); }

private:
    struct Table {
        const std::vector<float>& made_of;
        int64_t positions;  // 0: the numbers themselves
        int64_t offset, count;
    };
    void add(const std::vector<float>& numbers, int64_t positions);
    Floats find(const std::vector<float>& numbers, bool turns) const;

    std::vector<Table> tables_;
    DeviceMemory memory_;
};

}  // namespace bertha::cuda
