// What attention looks up beside weights, on the device: how far rows turn at each position, the slopes of
// heads, the rows of disentangled scores' tables. One table for all ops of the same numbers.
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
    // [2 * farthest + 1] as the op has them, or nothing.
    Ints buckets(const ops::Attention& op) const;
    int64_t bytes() const { return static_cast<int64_t>(memory_.bytes() + bucket_memory_.bytes()); }

private:
    struct Table {
        const std::vector<float>& made_of;
        int64_t positions;  // 0: the numbers themselves
        int64_t offset, count;
    };
    void add(const std::vector<float>& numbers, int64_t positions);
    Floats find(const std::vector<float>& numbers, bool turns) const;

    struct Buckets {
        const std::vector<int32_t>& made_of;
        int64_t offset;
    };
    void upload_buckets();

    std::vector<Table> tables_;
    std::vector<Buckets> buckets_;
    DeviceMemory memory_, bucket_memory_;
};

}  // namespace bertha::cuda
