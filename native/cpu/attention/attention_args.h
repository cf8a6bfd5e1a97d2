// An attention's op as the kernels see it; shared by the forwards of inference and learning and by the
// backward.
#pragma once

#include <cstdint>

#include "cpu/attention/rotary_tables.h"
#include "cpu/kernels.h"
#include "engine/program/program.h"

namespace bertha::cpu {

// One head of a sequence of seq_len rows, without its pointers to rows; hidden_size is the output's width.
inline AttentionArgs attention_args(const ops::Attention& op, const RotaryTables& rotary, int64_t hidden_size,
                                    int64_t seq_len) {
    AttentionArgs args;
    args.rotary = rotary.of(op);
    args.rotary_dims = 2 * static_cast<int64_t>(op.inverse_frequencies.size());
    args.seq_len = seq_len;
    args.head_dim = hidden_size / op.num_heads;
    args.hidden_size = hidden_size;
    args.query_stride = op.key == kNoIndex ? 3 * hidden_size : hidden_size;
    args.key_stride = args.value_stride = args.query_stride;
    args.window = op.window;
    args.softmax_scale = op.softmax_scale;
    return args;
}

// Points at the rows of a head in a sequence that begins at row `begin`; at(value, row) gives the first
// number of a value's row.
template <typename At>
void point_at_rows(AttentionArgs& args, const ops::Attention& op, int64_t head, int64_t begin, const At& at) {
    const int64_t column = head * args.head_dim;
    args.query = at(op.query, begin) + column;
    args.key = op.key == kNoIndex ? args.query + args.hidden_size : at(op.key, begin) + column;
    args.value = op.key == kNoIndex ? args.key + args.hidden_size : at(op.value, begin) + column;
    args.context = at(op.output, begin) + column;
}

}  // namespace bertha::cpu
