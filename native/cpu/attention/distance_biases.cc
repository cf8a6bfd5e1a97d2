#include "cpu/attention/distance_biases.h"

#include <algorithm>

namespace bertha::cpu {
namespace {

// The longest sequence that an attention with such a bias may see.
int64_t longest_of(const Program& program) {
    int64_t longest = 1;
    for (const Op& op : program.ops) {
        const auto* attention = std::get_if<ops::Attention>(&op);
        if (attention != nullptr && has_distance_bias(*attention))
            longest = std::max(longest, program.domain_of(attention->query).max_rows);
    }
    return longest;
}

}  // namespace

DistanceBiases::DistanceBiases(const Program& program, const ModelWeights& weights)
    : max_seq_len_(longest_of(program)), distances_(2 * max_seq_len_ - 1) {
    for (const Op& op : program.ops) {
        const auto* attention = std::get_if<ops::Attention>(&op);
        if (attention == nullptr || !has_distance_bias(*attention) || find(*attention) != tables_.end())
            continue;
        const float* table = weights.row(attention->relative_bias);
        Buffer biases(static_cast<size_t>(attention->num_heads * distances_) * sizeof(float));
        for (int64_t head = 0; head < attention->num_heads; head++)
            for (int64_t i = 0; i < distances_; i++)
                biases.floats()[head * distances_ + i] = distance_bias(program, *attention, table, head,
                                                                       i - max_seq_len_ + 1);
        tables_.push_back({attention->relative_bias, attention->slopes, std::move(biases)});
    }
}

std::vector<DistanceBiases::Table>::const_iterator DistanceBiases::find(const ops::Attention& op) const {
    return std::find_if(tables_.begin(), tables_.end(), [&](const Table& table) {
        return table.relative_bias == op.relative_bias && table.slopes == op.slopes;
    });
}

int64_t DistanceBiases::bytes() const {
    int64_t bytes = 0;
    for (const Table& table : tables_) bytes += static_cast<int64_t>(table.biases.bytes());
    return bytes;
}

}  // namespace bertha::cpu
