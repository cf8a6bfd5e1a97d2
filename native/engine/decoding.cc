#include "engine/decoding.h"

#include "engine/check.h"

namespace bertha {
namespace {

void check_step(size_t index, const ops::Attention& op, bool crosses) {
    const bool by_position = op.window != 0 || op.relative_bias != kNoIndex || !op.slopes.empty() ||
                             !op.inverse_frequencies.empty() || !op.buckets.empty() ||
                             op.key_counts != kNoIndex;
    BERTHA_CHECK(!by_position && op.causal != crosses && op.dropout == 0.0f, "INVALID_PROGRAM",
                 "op %zu (attention): expected causal or cross-attention without terms of positions for "
                 "generating text",
                 index);
}

}  // namespace

DecoderLayout decoder_layout(const Program& program, int32_t logits) {
    BERTHA_CHECK(logits >= 0 && static_cast<size_t>(logits) < program.values.size(), "INVALID_ARG",
                 "the program has no value %d", logits);
    DecoderLayout layout;
    layout.domain = program.value(logits).domain;
    const std::vector<bool> needed = needed_ops(program, {logits});
    for (size_t i = 0; i < program.ops.size(); i++) {
        const Op& op = program.ops[i];
        if (!needed[i] || program.value(output_of(op)).domain != layout.domain) continue;
        if (const auto* embed = std::get_if<ops::Embed>(&op)) {
            BERTHA_CHECK(layout.ids == kNoIndex, "INVALID_PROGRAM",
                         "op %zu (embed): expected one lookup of a decoder's ids", i);
            layout.ids = embed->ids;
            layout.padding_id = embed->padding_id;
        }
        const auto* attention = std::get_if<ops::Attention>(&op);
        BERTHA_CHECK(attention != nullptr || is_row_wise(op), "INVALID_PROGRAM",
                     "op %zu (%s) reads whole texts: generating text computes row by row", i, name_of(op));
        if (attention == nullptr) continue;
        const bool crosses = is_cross(program, *attention);
        check_step(i, *attention, crosses);
        const int64_t width = program.value(attention->output).width;
        BERTHA_CHECK(layout.width == 0 || layout.width == width, "INVALID_PROGRAM",
                     "op %zu (attention): expected keys of one width in all layers", i);
        layout.width = width;
        layout.last_attention = attention->output;
        if (crosses)
            layout.cross_values.insert(layout.cross_values.end(), {attention->key, attention->value});
        else
            layout.layers++;
    }
    BERTHA_CHECK(layout.ids != kNoIndex && layout.layers > 0, "INVALID_PROGRAM",
                 "expected a decoder of ids with attention to its own rows");
    return layout;
}

}  // namespace bertha
