#include "cuda/weights/attention_tables.h"

#include <algorithm>

#include "engine/program/rotary_turns.h"

namespace bertha::cuda {
namespace {

constexpr int64_t kAlignment = 64;  // floats

}  // namespace

AttentionTables::AttentionTables(const Program& program) {
    for (const Op& op : program.ops) {
        const auto* attention = std::get_if<ops::Attention>(&op);
        if (attention == nullptr) continue;
        add(attention->inverse_frequencies, program.domain_of(attention->query).max_rows);
        add(attention->slopes, 0);
        if (!attention->buckets.empty() && buckets(*attention).count == 0)
            buckets_.push_back({attention->buckets, 0});
    }
    upload_buckets();
    int64_t total = 0;
    for (Table& table : tables_) {
        const auto numbers = static_cast<int64_t>(table.made_of.size());
        table.offset = total;
        table.count = table.positions > 0 ? table.positions * 2 * numbers : numbers;
        total += (table.count + kAlignment - 1) / kAlignment * kAlignment;
    }
    if (total == 0) return;
    std::vector<float> values(static_cast<size_t>(total));
    for (const Table& table : tables_) {
        float* to = values.data() + table.offset;
        if (table.positions > 0)
            write_turns(table.made_of, table.positions, to);
        else
            std::copy(table.made_of.begin(), table.made_of.end(), to);
    }
    memory_.reserve(values.size() * sizeof(float));
    const OwnedStream stream;
    copy_to_device(memory_.as<void>(), values.data(), values.size() * sizeof(float), stream.get());
    wait_for(stream.get());
}

// Numbers that turn and slopes are never the same table: one has positions, the other none.
void AttentionTables::add(const std::vector<float>& numbers, int64_t positions) {
    if (numbers.empty()) return;
    for (Table& table : tables_)
        if ((table.positions > 0) == (positions > 0) && table.made_of == numbers) {
            table.positions = std::max(table.positions, positions);
            return;
        }
    tables_.push_back({numbers, positions, 0, 0});
}

Floats AttentionTables::find(const std::vector<float>& numbers, bool turns) const {
    for (const Table& table : tables_)
        if ((table.positions > 0) == turns && table.made_of == numbers)
            return {memory_.as<float>() + table.offset, table.count};
    return {};
}

void AttentionTables::upload_buckets() {
    std::vector<int32_t> all;
    for (Buckets& each : buckets_) {
        each.offset = static_cast<int64_t>(all.size());
        all.insert(all.end(), each.made_of.begin(), each.made_of.end());
    }
    if (all.empty()) return;
    bucket_memory_.reserve(all.size() * sizeof(int32_t));
    const OwnedStream stream;
    copy_to_device(bucket_memory_.as<void>(), all.data(), all.size() * sizeof(int32_t), stream.get());
    wait_for(stream.get());
}

Ints AttentionTables::buckets(const ops::Attention& op) const {
    for (const Buckets& each : buckets_)
        if (each.made_of == op.buckets)
            return {bucket_memory_.as<int32_t>() + each.offset, static_cast<int64_t>(op.buckets.size())};
    return {};
}

Floats AttentionTables::turns(const ops::Attention& op) const { return find(op.inverse_frequencies, true); }
Floats AttentionTables::slopes(const ops::Attention& op) const { return find(op.slopes, false); }

}  // namespace bertha::cuda
