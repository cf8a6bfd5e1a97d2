#include "cpu/relative_biases.h"

#include <algorithm>

namespace bertha::cpu {
namespace {

// The longest sequence that an attention with such a bias may see.
int64_t longest_of(const Program& program) {
    int64_t longest = 1;
    for (const Op& op : program.ops) {
        const auto* attention = std::get_if<ops::Attention>(&op);
        if (attention != nullptr && attention->relative_bias != kNoIndex)
            longest = std::max(longest, program.domain_of(attention->query).max_rows);
    }
    return longest;
}

}  // namespace

RelativeBiases::RelativeBiases(const Program& program, const ModelWeights& weights)
    : max_seq_len_(longest_of(program)), distances_(2 * max_seq_len_ - 1), biases_(program.weights.size()) {
    for (const Op& op : program.ops) {
        const auto* attention = std::get_if<ops::Attention>(&op);
        if (attention == nullptr || attention->relative_bias == kNoIndex) continue;
        const auto id = static_cast<size_t>(attention->relative_bias);
        Buffer& biases = biases_[id];
        if (biases.bytes() > 0) continue;
        const Weight& shape = program.weights[id];
        const float* table = weights.row(attention->relative_bias);  // [num_buckets, num_heads]
        biases = Buffer(static_cast<size_t>(shape.cols * distances_) * sizeof(float));
        for (int64_t i = 0; i < distances_; i++) {
            const int32_t bucket = relative_bucket(static_cast<int32_t>(i - max_seq_len_ + 1),
                                                   static_cast<int32_t>(shape.rows));
            for (int64_t head = 0; head < shape.cols; head++)
                biases.floats()[head * distances_ + i] = table[bucket * shape.cols + head];
        }
    }
}

int64_t RelativeBiases::bytes() const {
    int64_t bytes = 0;
    for (const Buffer& biases : biases_) bytes += static_cast<int64_t>(biases.bytes());
    return bytes;
}

}  // namespace bertha::cpu
