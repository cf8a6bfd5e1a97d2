// One attention of a forward: every head of every sequence.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/attention/attention_args.h"
#include "cpu/attention/distance_biases.h"
#include "engine/allocator.h"
#include "engine/batch.h"
#include "engine/check.h"

namespace bertha::cpu {

struct SequenceAttention {
    const Program& program;
    const ops::Attention& op;
    const PositionTables& tables;
    const DistanceBiases& biases;
    void (*kernel)(const AttentionArgs&);
    const Batch& batch;
    float* scores;  // one sequence after the other, or null
    const std::vector<Buffer>& scratch;
};

// at(value, row) gives the first number of a value's row, table_of(value) that of a constant one.
template <typename At, typename TableOf>
void attend_sequences(const SequenceAttention& call, Team& team, const At& at, const TableOf& table_of) {
    const ops::Attention& op = call.op;
    const Batch& batch = call.batch;
    const auto domain_of = [&](int32_t value) { return call.program.value(value).domain; };
    const int32_t queries = domain_of(op.query), keys = op.key == kNoIndex ? queries : domain_of(op.key);
    const int32_t *begins = batch.rows(queries).offsets, *key_begins = batch.rows(keys).offsets;
    if (begins == nullptr) return;  // no rows
    const int32_t* key_counts = batch.input(op.key_counts);
    BERTHA_CHECK(key_counts == nullptr || call.scores == nullptr, "INVALID_ARG",
                 "expected no probabilities where only some rows are keys");
    std::vector<int64_t> scores_begin;
    if (call.scores != nullptr)
        scores_begin = begins_of_scores(begins, key_begins, batch.batch_size, op.num_heads);
    team.run(batch.batch_size * op.num_heads, [&](int64_t unit, int member) {
        const int64_t sequence = unit / op.num_heads, head = unit % op.num_heads;
        const int64_t rows = rows_in(batch, queries, sequence);
        if (rows == 0) return;
        AttentionArgs args = attention_args(op, call.tables, rows, rows_in(batch, keys, sequence),
                                            [&](int32_t id) { return call.program.value(id).width; });
        point_at_rows(args, op, head, begins[sequence], key_begins[sequence], at, table_of);
        if (call.scores != nullptr)
            args.scores = call.scores + scores_begin[static_cast<size_t>(sequence)] +
                          head * args.seq_len * args.num_keys;
        args.scratch = call.scratch[static_cast<size_t>(member)].floats();
        args.relative_bias = call.biases.of(op, head, rows);
        // Queries behind the keys: tokens that see a sequence and that none of it sees (ColBERT).
        if (key_counts != nullptr && key_counts[sequence] > 0 && key_counts[sequence] < args.num_keys)
            args.num_keys = key_counts[sequence];
        call.kernel(args);
    });
}

}  // namespace bertha::cpu
