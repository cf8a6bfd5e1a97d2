#include "cpu/attention/rotary_tables.h"

#include <algorithm>
#include <cmath>

namespace bertha::cpu {

RotaryTables::RotaryTables(const Program& program) {
    for (const Op& op : program.ops) {
        const auto* attention = std::get_if<ops::Attention>(&op);
        if (attention == nullptr || attention->inverse_frequencies.empty()) continue;
        const int64_t positions = program.domain_of(attention->query).max_rows;
        const auto same = std::find_if(tables_.begin(), tables_.end(), [&](const Table& table) {
            return table.inverse_frequencies == attention->inverse_frequencies;
        });
        if (same == tables_.end())
            tables_.push_back({attention->inverse_frequencies, positions, Buffer()});
        else
            same->positions = std::max(same->positions, positions);
    }
    for (Table& table : tables_) {
        const auto pairs = static_cast<int64_t>(table.inverse_frequencies.size());
        table.turns = Buffer(static_cast<size_t>(table.positions * 2 * pairs) * sizeof(float));
        float* turns = table.turns.floats();
        for (int64_t position = 0; position < table.positions; position++, turns += 2 * pairs) {
            for (int64_t i = 0; i < pairs; i++) {
                // The angle is rounded to float32, as every implementation of these models does; its cosine
                // and sine are those of the rounded angle.
                const float angle = table.inverse_frequencies[static_cast<size_t>(i)] *
                                    static_cast<float>(position);
                turns[i] = static_cast<float>(std::cos(static_cast<double>(angle)));
                turns[pairs + i] = static_cast<float>(std::sin(static_cast<double>(angle)));
            }
        }
    }
}

const float* RotaryTables::of(const ops::Attention& op) const {
    for (const Table& table : tables_)
        if (table.inverse_frequencies == op.inverse_frequencies) return table.turns.floats();
    return nullptr;
}

int64_t RotaryTables::bytes() const {
    int64_t bytes = 0;
    for (const Table& table : tables_) bytes += static_cast<int64_t>(table.turns.bytes());
    return bytes;
}

}  // namespace bertha::cpu
