// One attention over packed rows [tokens, 3, heads, head_dim], for the forward's test and the backward's.
#pragma once

#include <algorithm>
#include <vector>

#include "addon/test/op_args.h"
#include "cpu/attention/attention_args.h"
#include "cpu/attention/distance_biases.h"

namespace bertha::addon {

// (qkv, cuSeqlens, heads, headDim, scale, relativeBias [buckets,heads] | null); `terms`: other fields of the
// op, or undefined; `tables`: { contentToPosition?, positionToContent? } [rows, width] of disentangled
// scores, with as many rows as the op's buckets name, or undefined.
class AttentionCase {
public:
    AttentionCase(const Napi::CallbackInfo& info, const Napi::Value& terms, const Napi::Value& tables)
        : qkv(to_floats(info[0], "qkv")),
          heads(size_arg(info, 2, "numHeads")),
          head_dim(size_arg(info, 3, "headDim")),
          hidden(heads * head_dim),
          tokens(static_cast<int64_t>(qkv.size()) / (3 * hidden)),
          offsets(sequence_offsets(info[1], tokens)),
          table(optional_floats(info[5], "relativeBias")),
          content(table_of(tables, "contentToPosition")),
          position(table_of(tables, "positionToContent")),
          op_(read(terms)),
          program_(program_of(op_)),
          positions_(program_) {
        check_count(qkv.size(), tokens * 3 * hidden, "qkv");
        op_.softmax_scale = float_arg(info, 4, "scale");
    }

    int64_t longest() const {
        int32_t longest = 1;
        for (size_t i = 1; i < offsets.size(); i++) longest = std::max(longest, offsets[i] - offsets[i - 1]);
        return longest;
    }
    cpu::AttentionArgs largest() const { return shape(longest()); }
    int64_t position_rows() const { return op_.buckets.empty() ? 0 : op_.buckets.back() + 1; }

    // One head of a sequence. The args point into this case, `output` and `scratch`, until the next call.
    cpu::AttentionArgs args(size_t sequence, int64_t head, std::vector<float>& output, float* scratch) {
        const int32_t begin = offsets[sequence], seq_len = offsets[sequence + 1] - begin;
        cpu::AttentionArgs args = shape(seq_len);
        cpu::point_at_rows(
            args, op_, head, begin, begin,
            [&](int32_t value, int64_t row) {
                return value == op_.query ? qkv.data() + row * 3 * hidden : output.data() + row * hidden;
            },
            [&](int32_t value) { return value == 2 ? content.data() : position.data(); });
        args.scratch = scratch;
        biases_.clear();
        if (!cpu::has_distance_bias(op_)) return args;
        for (int64_t distance = 1 - seq_len; distance < seq_len; distance++)
            biases_.push_back(cpu::distance_bias(program_, op_, table.data(), head, distance));
        args.relative_bias = biases_.data();
        return args;
    }
    // The entry of the relative bias's table for a distance.
    size_t entry(int64_t distance, int64_t head) const {
        const auto buckets = static_cast<int32_t>(table.values.size() / static_cast<size_t>(heads));
        return static_cast<size_t>(relative_bucket(static_cast<int32_t>(distance), buckets) * heads + head);
    }

    std::vector<float> qkv;
    const int64_t heads, head_dim, hidden, tokens;
    const std::vector<int32_t> offsets;
    const Floats table;
    const Floats content, position;

private:
    static Floats table_of(const Napi::Value& tables, const char* name) {
        return tables.IsObject() ? optional_floats(get(tables.As<Napi::Object>(), name), name) : Floats();
    }
    cpu::AttentionArgs shape(int64_t seq_len) const {
        return cpu::attention_args(op_, positions_, seq_len, seq_len,
                                   [&](int32_t value) { return program_.value(value).width; });
    }
    ops::Attention read(const Napi::Value& terms) const {
        ops::Attention op;
        if (terms.IsObject()) op = std::get<ops::Attention>(read_op(terms.As<Napi::Object>()));
        op.query = 0;
        op.output = 1;
        op.num_heads = static_cast<int32_t>(heads);
        if (table.present) op.relative_bias = 0;
        if (content.present) op.content_to_position = 2;
        if (position.present) op.position_to_content = 3;
        return op;
    }
    Program program_of(const ops::Attention& op) const {
        Program program;
        program.domains.push_back({"tokens", DomainKind::kPacked, "cuSeqlens", kNoIndex, 1, longest()});
        const auto width_of = [&](const Floats& rows) {
            return rows.present ? static_cast<int64_t>(rows.values.size()) / position_rows() : 1;
        };
        program.values = {{0, 3 * hidden}, {0, hidden}, {0, width_of(content)}, {0, width_of(position)}};
        program.weights.push_back(
            {"relativeBias", WeightKind::kTable, static_cast<int64_t>(table.values.size()) / heads, heads});
        program.ops.push_back(op);
        return program;
    }

    ops::Attention op_;
    const Program program_;
    const cpu::PositionTables positions_;
    std::vector<float> biases_;
};

}  // namespace bertha::addon
