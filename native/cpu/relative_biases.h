// What attention adds to its scores by the distance of key and query (MPNet), looked up once for all
// distances that the model's positions allow.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/weights/model_weights.h"
#include "engine/allocator.h"
#include "engine/program/program.h"

namespace bertha::cpu {

class RelativeBiases {
public:
    RelativeBiases(const Program& program, const ModelWeights& weights);

    // For one head and texts of seq_len tokens [2 * seq_len - 1]: entry seq_len - 1 + (key - query). Null for
    // kNoIndex.
    const float* of(int32_t table, int64_t head, int64_t seq_len) const {
        if (table == kNoIndex) return nullptr;
        return biases_[static_cast<size_t>(table)].floats() + head * distances_ + max_seq_len_ - seq_len;
    }
    int64_t bytes() const;

private:
    const int64_t max_seq_len_, distances_;
    std::vector<Buffer> biases_;  // by the weight that is the table: [num_heads, distances]
};

}  // namespace bertha::cpu
