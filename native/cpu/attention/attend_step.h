// One attention of a decoder's step: every head of every row, to what the state holds. Rows of one text, its
// beams, read the keys and values of its source together.
#pragma once

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <vector>

#include "cpu/kernels.h"
#include "engine/allocator.h"
#include "engine/decoding.h"
#include "engine/pool/team.h"

namespace bertha::cpu {

// Floats of scratch for rows that see at most so many keys.
inline int64_t step_scratch(const DecodingRow* rows, int64_t count) {
    int64_t most = 1;
    for (int64_t i = 0; i < count; i++) most = std::max({most, rows[i].num_seen, rows[i].text->num_keys});
    return (most * kSharedQueries + 15) / 16 * 16;
}

// Rows that see the same keys: of an attention to the source all neighbours of one text.
inline std::vector<int64_t> shared_rows(const DecodingRow* rows, int64_t count, bool crosses) {
    std::vector<int64_t> begins;
    for (int64_t i = 0; i < count; i++)
        if (i == 0 || !crosses || rows[i].text != rows[i - 1].text) begins.push_back(i);
    begins.push_back(count);
    return begins;
}

// The layer of the attention with this op index, counted among those of its kind that a step needs.
inline int64_t layer_of_step(const Program& program, const std::vector<bool>& needed, int32_t index) {
    const auto& own = std::get<ops::Attention>(program.ops[static_cast<size_t>(index)]);
    int64_t layer = 0;
    for (size_t i = 0; i < static_cast<size_t>(index); i++) {
        const auto* other = std::get_if<ops::Attention>(&program.ops[i]);
        if (other != nullptr && needed[i] && is_cross(program, *other) == is_cross(program, own)) layer++;
    }
    return layer;
}

struct StepAttention {
    const Program& program;
    const ops::Attention& op;
    int64_t layer;  // of those of its kind
    void (*kernel)(const RowAttentionArgs&);
    const DecodingRow* rows;
    int64_t count;
    const std::vector<Buffer>& scratch;
};

// at(value, row) gives the first number of a value's row.
template <typename At>
void attend_step(const StepAttention& call, Team& team, const At& at) {
    const ops::Attention& op = call.op;
    const bool crosses = is_cross(call.program, op);
    const int64_t width = call.program.value(op.output).width, head_dim = width / op.num_heads;
    if (!crosses) {
        for (int64_t i = 0; i < call.count; i++) {
            float* own = call.rows[i].text->row(call.layer, call.rows[i].slot);
            const float* query = at(op.query, i);
            const auto bytes = static_cast<size_t>(width) * sizeof(float);
            std::memcpy(own, op.key == kNoIndex ? query + width : at(op.key, i), bytes);
            std::memcpy(own + width, op.key == kNoIndex ? query + 2 * width : at(op.value, i), bytes);
        }
    }
    const std::vector<int64_t> begins = shared_rows(call.rows, call.count, crosses);
    const auto groups = static_cast<int64_t>(begins.size()) - 1;
    team.run(groups * op.num_heads, [&](int64_t unit, int member) {
        const auto group = static_cast<size_t>(unit / op.num_heads);
        const int64_t i = begins[group], column = unit % op.num_heads * head_dim;
        const DecodingRow& row = call.rows[i];
        const DecodingText& text = *row.text;
        RowAttentionArgs args;
        args.query = at(op.query, i) + column;
        args.context = at(op.output, i) + column;
        args.scratch = call.scratch[static_cast<size_t>(member)].floats();
        args.queries = begins[group + 1] - i;
        args.query_stride = width;
        args.head_dim = head_dim;
        args.softmax_scale = op.softmax_scale;
        if (crosses) {
            const auto layer = static_cast<size_t>(2 * call.layer);
            args.keys = text.cross[layer] + column;
            args.values = text.cross[layer + 1] + column;
            args.stride = width;
            args.count = text.num_keys;
        } else {
            args.keys = text.row(call.layer, 0) + column;
            args.values = args.keys + width;
            args.stride = 2 * width;
            args.rows = row.seen;
            args.count = row.num_seen;
        }
        call.kernel(args);
    });
}

}  // namespace bertha::cpu
