// An attention's op as the kernels see it; shared by the forwards of inference and learning and by the
// backward.
#pragma once

#include <cstdint>
#include <vector>

#include "cpu/attention/position_tables.h"
#include "cpu/kernels.h"
#include "engine/program/program.h"

namespace bertha::cpu {

// One head of a sequence of seq_len queries and num_keys keys, without its pointers to values;
// width_of(value) gives the width of its rows.
template <typename WidthOf>
AttentionArgs attention_args(const ops::Attention& op, const PositionTables& tables, int64_t seq_len,
                             int64_t num_keys, const WidthOf& width_of) {
    AttentionArgs args;
    args.rotary = tables.turns(op);
    args.rotary_dims = 2 * static_cast<int64_t>(op.inverse_frequencies.size());
    args.position_rows = tables.rows(op, seq_len);
    const int32_t table = op.content_to_position != kNoIndex ? op.content_to_position
                                                             : op.position_to_content;
    args.position_stride = table == kNoIndex ? 0 : width_of(table);
    args.seq_len = seq_len;
    args.num_keys = num_keys;
    args.hidden_size = width_of(op.output);
    args.head_dim = args.hidden_size / op.num_heads;
    args.query_stride = op.key == kNoIndex ? 3 * args.hidden_size : args.hidden_size;
    args.key_stride = args.value_stride = args.query_stride;
    args.window = op.window;
    args.causal = op.causal;
    args.softmax_scale = op.softmax_scale;
    return args;
}

// Points at the rows of a head in a sequence whose queries begin at row `begin`, its keys at `key_begin`;
// at(value, row) gives the first number of a value's row, table_of(value) that of a constant one.
template <typename At, typename TableOf>
void point_at_rows(AttentionArgs& args, const ops::Attention& op, int64_t head, int64_t begin,
                   int64_t key_begin, const At& at, const TableOf& table_of) {
    const int64_t column = head * args.head_dim;
    args.query = at(op.query, begin) + column;
    args.key = op.key == kNoIndex ? args.query + args.hidden_size : at(op.key, key_begin) + column;
    args.value = op.key == kNoIndex ? args.key + args.hidden_size : at(op.value, key_begin) + column;
    args.context = at(op.output, begin) + column;
    // Rows of all heads, [rows, hidden_size], or one for all of them, [rows, head_dim].
    const int64_t position_column = args.position_stride == args.head_dim ? 0 : column;
    if (op.content_to_position != kNoIndex)
        args.content_to_position = table_of(op.content_to_position) + position_column;
    if (op.position_to_content != kNoIndex)
        args.position_to_content = table_of(op.position_to_content) + position_column;
}

// Where the probabilities [num_heads, seq_len, num_keys] of each sequence begin.
inline std::vector<int64_t> begins_of_scores(const int32_t* begins, const int32_t* key_begins,
                                             int64_t sequences, int64_t num_heads) {
    std::vector<int64_t> scores;
    int64_t next = 0;
    for (int64_t i = 0; i < sequences; i++) {
        scores.push_back(next);
        next += num_heads * (begins[i + 1] - begins[i]) * (key_begins[i + 1] - key_begins[i]);
    }
    return scores;
}

}  // namespace bertha::cpu
