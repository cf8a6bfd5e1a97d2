#include "cpu/attention/position_tables.h"

#include <algorithm>

#include "engine/program/rotary_turns.h"
#include "cpu/attention/sinusoids.h"

namespace bertha::cpu {

PositionTables::PositionTables(const Program& program) {
    for (const Op& op : program.ops) {
        if (const auto* embed = std::get_if<ops::Embed>(&op)) add_sinusoids(program, *embed);
        const auto* attention = std::get_if<ops::Attention>(&op);
        if (attention == nullptr) continue;
        if (!attention->inverse_frequencies.empty()) add_turns(program, *attention);
        const std::vector<int32_t>& buckets = attention->buckets;
        if (!buckets.empty() && rows(*attention, 1) == nullptr)
            rows_.push_back({buckets, {buckets.rbegin(), buckets.rend()}});
    }
    for (Turns& table : turns_) compute_turns(table);
    for (Sinusoids& table : sinusoids_) {
        table.values = Buffer(static_cast<size_t>(table.positions * table.width) * sizeof(float));
        write_sinusoids(table.positions, table.width, table.values.floats());
    }
}

void PositionTables::add_sinusoids(const Program& program, const ops::Embed& op) {
    if (!op.sinusoidal) return;
    const int64_t width = program.value(op.output).width,
                  positions = program.domain_of(op.output).max_rows + op.position_offset;
    const auto same = std::find_if(sinusoids_.begin(), sinusoids_.end(),
                                   [&](const Sinusoids& table) { return table.width == width; });
    if (same == sinusoids_.end())
        sinusoids_.push_back({positions, width, Buffer()});
    else
        same->positions = std::max(same->positions, positions);
}

const float* PositionTables::sinusoids(const ops::Embed& op, int64_t width) const {
    for (const Sinusoids& table : sinusoids_)
        if (op.sinusoidal && table.width == width) return table.values.floats();
    return nullptr;
}

void PositionTables::add_turns(const Program& program, const ops::Attention& op) {
    const int64_t positions = program.domain_of(op.query).max_rows;
    const auto same = std::find_if(turns_.begin(), turns_.end(), [&](const Turns& table) {
        return table.inverse_frequencies == op.inverse_frequencies;
    });
    if (same == turns_.end())
        turns_.push_back({op.inverse_frequencies, positions, Buffer()});
    else
        same->positions = std::max(same->positions, positions);
}

void PositionTables::compute_turns(Turns& table) const {
    const auto pairs = static_cast<int64_t>(table.inverse_frequencies.size());
    table.values = Buffer(static_cast<size_t>(table.positions * 2 * pairs) * sizeof(float));
    write_turns(table.inverse_frequencies, table.positions, table.values.floats());
}

const float* PositionTables::turns(const ops::Attention& op) const {
    for (const Turns& table : turns_)
        if (table.inverse_frequencies == op.inverse_frequencies) return table.values.floats();
    return nullptr;
}

const int32_t* PositionTables::rows(const ops::Attention& op, int64_t seq_len) const {
    for (const Rows& table : rows_)
        if (table.buckets == op.buckets)
            return table.reversed.data() + static_cast<int64_t>(table.reversed.size() / 2) + 1 - seq_len;
    return nullptr;
}

int64_t PositionTables::bytes() const {
    int64_t bytes = 0;
    for (const Sinusoids& table : sinusoids_) bytes += static_cast<int64_t>(table.values.bytes());
    for (const Turns& table : turns_) bytes += static_cast<int64_t>(table.values.bytes());
    for (const Rows& table : rows_) bytes += static_cast<int64_t>(2 * table.buckets.size() * sizeof(int32_t));
    return bytes;
}

}  // namespace bertha::cpu
