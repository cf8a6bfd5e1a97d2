// What attention adds to its scores by the distance of key and query (MPNet's buckets, ALiBi's slopes),
// looked up once for all distances that the model's positions allow.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/weights/model_weights.h"
#include "engine/allocator.h"
#include "engine/program/program.h"

namespace bertha::cpu {

inline bool has_distance_bias(const ops::Attention& op) {
    return op.relative_bias != kNoIndex || !op.slopes.empty();
}

// What an op adds to the score of one head's query and key; table: the rows of its relative bias.
inline float distance_bias(const Program& program, const ops::Attention& op, const float* table, int64_t head,
                           int64_t distance) {
    if (op.relative_bias == kNoIndex)
        return -op.slopes[static_cast<size_t>(head)] *
               static_cast<float>(distance < 0 ? -distance : distance);
    const Weight& shape = program.weights[static_cast<size_t>(op.relative_bias)];  // [num_buckets, num_heads]
    const int32_t bucket = relative_bucket(static_cast<int32_t>(distance), static_cast<int32_t>(shape.rows));
    return table[bucket * shape.cols + head];
}

class DistanceBiases {
public:
    DistanceBiases(const Program& program, const ModelWeights& weights);

    // For one head and texts of seq_len tokens [2 * seq_len - 1]: entry seq_len - 1 + (key - query). Null
    // where the op adds nothing by distance.
    const float* of(const ops::Attention& op, int64_t head, int64_t seq_len) const {
        if (!has_distance_bias(op)) return nullptr;
        return find(op)->biases.floats() + head * distances_ + max_seq_len_ - seq_len;
    }
    int64_t bytes() const;

private:
    struct Table {
        int32_t relative_bias;
        std::vector<float> slopes;
        Buffer biases;  // [num_heads, distances]
    };
    std::vector<Table>::const_iterator find(const ops::Attention& op) const;

    const int64_t max_seq_len_, distances_;
    std::vector<Table> tables_;  // one for all layers that share what it is made of
};

}  // namespace bertha::cpu
