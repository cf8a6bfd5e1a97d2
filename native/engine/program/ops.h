// The fused ops of a program, one struct each, and the one way to see their fields. Validation, planning,
// packing, keys and the reader of JavaScript's programs go through fields(): a new op is a struct here, its
// shapes in check_shapes (program.cc) and a kernel per backend.
#pragma once

#include <cstdint>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "engine/program/op_fields.h"
#include "engine/program/training_ops.h"

namespace bertha {

namespace ops {

// In every op: int32_t fields are indices into Program::inputs, values or weights, kNoIndex = absent, unless
// they are options. kName and the fields' names are those of NativeOp (src/runtime/native.ts). kRowWise: row
// i of the output depends on row i of the inputs alone, so that the op may run on any block of rows.

// output [tokens, h] = scale * word[id] (+ type[type_id]) (+ position[i + position_offset]); sinusoidal: the
// position table is computed (cpu/attention/sinusoids.h)
struct Embed {
    static constexpr const char* kName = "embed";
    static constexpr bool kRowWise = true;
    int32_t ids = kNoIndex;       // input
    int32_t type_ids = kNoIndex;  // input; without it every type is 0
    int32_t output = kNoIndex;
    int32_t word = kNoIndex;
    int32_t position = kNoIndex;
    int32_t type = kNoIndex;
    int32_t position_offset = 0;
    int32_t padding_id = kNoIndex;  // id that positions do not count, at row position_offset - 1 (MPNet)
    float scale = 1.0f;
    bool sinusoidal = false;  // without a position table

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.takes("ids", op.ids);
        visit.takes("typeIds", op.type_ids, Need::kOptional);
        visit.writes("output", op.output);
        visit.weight("word", op.word, WeightKind::kTable);
        visit.weight("position", op.position, WeightKind::kTable, Need::kOptional);
        visit.weight("type", op.type, WeightKind::kTable, Need::kOptional);
        visit.option("positionOffset", op.position_offset);
        visit.option("paddingId", op.padding_id);
        visit.rare_option("scale", op.scale, 1.0f);
        visit.rare_option("sinusoidal", op.sinusoidal, false);
    }
};

// output [rows, h] of a constant domain = table [rows, h]
struct Constant {
    static constexpr const char* kName = "constant";
    static constexpr bool kRowWise = true;
    int32_t output = kNoIndex;
    int32_t table = kNoIndex;

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.writes("output", op.output);
        visit.weight("table", op.table, WeightKind::kTable);
    }
};

// output [rows, n] = dropped(activation(scale * input [rows, k] · matrixᵀ + bias)) + residual [rows, n];
// gated: activation(a) ∘ b, where [a, b] [rows, 2n] = input · matrixᵀ + bias
struct Linear {
    static constexpr const char* kName = "linear";
    static constexpr bool kRowWise = true;
    int32_t input = kNoIndex;
    int32_t output = kNoIndex;
    int32_t residual = kNoIndex;
    int32_t matrix = kNoIndex;
    int32_t bias = kNoIndex;
    // [1, k], positive: formats that round their input divide column i of it by input_scale[i] and multiply
    // column i of the matrix, so that no column wastes the grid of a row.
    int32_t input_scale = kNoIndex;
    Activation activation = Activation::kNone;
    float scale = 1.0f;
    bool full_precision = false;  // fp32, whatever the model's precision: a branch of low rank
    bool gated = false;           // without scale, residual and dropout
    // What learning adds: dropout of the product, and what is activated, for the backward.
    int32_t pre_activation = kNoIndex;
    int32_t dropout_site = 0;
    float dropout = 0.0f;

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("input", op.input);
        visit.writes("output", op.output);
        visit.reads("residual", op.residual, Need::kOptional);
        visit.weight("matrix", op.matrix, WeightKind::kMatrix);
        visit.weight("bias", op.bias, WeightKind::kVector, Need::kOptional);
        visit.weight("inputScale", op.input_scale, WeightKind::kVector, Need::kOptional);
        visit.option("activation", op.activation);
        visit.rare_option("scale", op.scale, 1.0f);
        visit.rare_option("fullPrecision", op.full_precision, false);
        visit.rare_option("gated", op.gated, false);
        visit.rare_writes("preActivation", op.pre_activation);
        visit.rare_option("dropoutSite", op.dropout_site, 0);
        visit.rare_option("dropout", op.dropout, 0.0f);
    }
};

// output [tokens, num_heads, head_dim] = softmax(softmax_scale * query · keyᵀ + terms) · value, within each
// sequence; key and value may be rows of another packed domain. query alone holds all three, [tokens, 3,
// num_heads, head_dim]; else query is [tokens, num_heads, head_dim], key and value [tokens, num_key_heads,
// head_dim]. scores: the probabilities, for who asks.
struct Attention {
    static constexpr const char* kName = "attention";
    static constexpr bool kRowWise = false;
    int32_t query = kNoIndex;
    int32_t key = kNoIndex;
    int32_t value = kNoIndex;
    int32_t output = kNoIndex;
    int32_t scores = kNoIndex;
    // Terms added to the scaled scores, by the distance of key and query: a table [num_buckets, num_heads] of
    // T5's buckets (MPNet), or -slopes[head] * |distance| (ALiBi).
    int32_t relative_bias = kNoIndex;
    std::vector<float> slopes;      // [num_heads], or none
    int32_t key_counts = kNoIndex;  // input: the first rows of a sequence that are keys; 0: all of them
    int32_t num_heads = 0;
    int32_t num_key_heads = 0;  // each serves num_heads / num_key_heads heads of the query; 0: num_heads
    float softmax_scale = 0.0f;
    bool causal = false;  // no query sees a later key
    int32_t window = 0;   // no query sees a key at more than this distance; 0: all keys
    // Columns i and i + n / 2 of each head of query and key turn by position * inverse_frequencies[i], which
    // is rounded to fp32 (RoPE as in GPT-NeoX), of its first n = 2 * inverse_frequencies.size() columns.
    std::vector<float> inverse_frequencies;
    // Disentangled scores (DeBERTa, relative keys), [rows, num_heads, head_dim] or one for all heads [rows,
    // head_dim]: score = softmax_scale * (query · key + query · content_to_position[row] + key ·
    // position_to_content[row]), row = buckets[n + i - j] for the query at i and the key at j, where buckets
    // [2n + 1] never fall. Computed in fp32 whatever the model's precision.
    int32_t content_to_position = kNoIndex;
    int32_t position_to_content = kNoIndex;
    std::vector<int32_t> buckets;
    // What learning adds: dropout of the probabilities, and for the backward [rows, num_heads] the logarithm
    // of each query's sum.
    int32_t row_lse = kNoIndex;
    int32_t dropout_site = 0;
    float dropout = 0.0f;

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("query", op.query);
        visit.reads("key", op.key, Need::kOptional);
        visit.reads("value", op.value, Need::kOptional);
        visit.reads("contentToPosition", op.content_to_position, Need::kOptional);
        visit.reads("positionToContent", op.position_to_content, Need::kOptional);
        visit.writes("output", op.output);
        visit.writes("scores", op.scores, Need::kOptional);
        visit.weight("relativeBias", op.relative_bias, WeightKind::kTable, Need::kOptional);
        visit.option("slopes", op.slopes);
        visit.takes("keyCounts", op.key_counts, Need::kOptional);
        visit.option("numHeads", op.num_heads);
        visit.option("numKeyHeads", op.num_key_heads);
        visit.option("softmaxScale", op.softmax_scale);
        visit.option("causal", op.causal);
        visit.option("window", op.window);
        visit.option("inverseFrequencies", op.inverse_frequencies);
        visit.option("buckets", op.buckets);
        visit.rare_writes("rowLse", op.row_lse);
        visit.rare_option("dropoutSite", op.dropout_site, 0);
        visit.rare_option("dropout", op.dropout, 0.0f);
    }
};

// output [rows, h] = (input - mean) / sqrt(variance + eps) * weight (+ bias)
struct LayerNorm {
    static constexpr const char* kName = "layer_norm";
    static constexpr bool kRowWise = true;
    int32_t input = kNoIndex;
    int32_t output = kNoIndex;
    int32_t weight = kNoIndex;
    int32_t bias = kNoIndex;
    float eps = 0.0f;

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("input", op.input);
        visit.writes("output", op.output);
        visit.weight("weight", op.weight, WeightKind::kVector);
        visit.weight("bias", op.bias, WeightKind::kVector, Need::kOptional);
        visit.option("eps", op.eps);
    }
};

// output [rows of positions, h] = the input's rows that positions names; without it [sequences, h], the first
// row of each sequence
struct GatherRows {
    static constexpr const char* kName = "gather_rows";
    static constexpr bool kRowWise = false;
    int32_t input = kNoIndex;
    int32_t output = kNoIndex;
    int32_t positions = kNoIndex;  // input

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("input", op.input);
        visit.writes("output", op.output);
        visit.takes("positions", op.positions, Need::kOptional);
    }
};

// output [sequences, h * modes] from input [tokens, h]; leaves out as many tokens at the start of each
// sequence as skip says
struct Pool {
    static constexpr const char* kName = "pool";
    static constexpr bool kRowWise = false;
    int32_t input = kNoIndex;
    int32_t output = kNoIndex;
    int32_t skip = kNoIndex;  // input
    std::vector<PoolMode> modes;

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("input", op.input);
        visit.writes("output", op.output);
        visit.takes("skip", op.skip, Need::kOptional);
        visit.option("modes", op.modes);
    }
};

// output [tokens, h * size]: column c * size + j is column c of the token j - size / 2 further on in the same
// sequence, 0 where there is none: what a convolution's kernel [out, h, size] multiplies
struct Unfold {
    static constexpr const char* kName = "unfold";
    static constexpr bool kRowWise = false;
    int32_t input = kNoIndex;
    int32_t output = kNoIndex;
    int32_t size = 1;  // odd

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("input", op.input);
        visit.writes("output", op.output);
        visit.option("size", op.size);
    }
};

// output [sequences, n] = max, or sum, over a sequence's tokens of f(input [tokens, k] · matrixᵀ + bias),
// where f(x) = log(1 + max(x, 0)), for two logs log(1 + f(x)); products with n columns are never stored
struct PoolLinear {
    static constexpr const char* kName = "pool_linear";
    static constexpr bool kRowWise = false;
    int32_t input = kNoIndex;
    int32_t output = kNoIndex;
    int32_t matrix = kNoIndex;
    int32_t bias = kNoIndex;
    bool sums = false;
    int32_t logs = 1;

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("input", op.input);
        visit.writes("output", op.output);
        visit.weight("matrix", op.matrix, WeightKind::kMatrix);
        visit.weight("bias", op.bias, WeightKind::kVector, Need::kOptional);
        visit.option("sums", op.sums);
        visit.option("logs", op.logs);
    }
};

// output [rows, h] = input / max(|input|₂, 1e-12)
struct Normalize {
    static constexpr const char* kName = "normalize";
    static constexpr bool kRowWise = true;
    int32_t input = kNoIndex;
    int32_t output = kNoIndex;

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("input", op.input);
        visit.writes("output", op.output);
    }
};

// output [rows, 1 + 2k] from input [rows, n]: log-sum-exp, the k largest, their columns; ties: lower column
struct TopK {
    static constexpr const char* kName = "top_k";
    static constexpr bool kRowWise = true;
    int32_t input = kNoIndex;
    int32_t output = kNoIndex;
    int32_t k = 0;

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("input", op.input);
        visit.writes("output", op.output);
        visit.option("k", op.k);
    }
};

// output [rows, 1 + kTargetsPerRow] from input [rows, n]: log-sum-exp, then the columns that targets names
// for the row
struct PickTargets {
    static constexpr const char* kName = "pick_targets";
    static constexpr bool kRowWise = true;
    int32_t input = kNoIndex;
    int32_t output = kNoIndex;
    int32_t targets = kNoIndex;  // input [rows, kTargetsPerRow]

    template <typename Self, typename Visitor>
    static void fields(Self& op, Visitor& visit) {
        visit.reads("input", op.input);
        visit.writes("output", op.output);
        visit.takes("targets", op.targets);
    }
};

}  // namespace ops

using Op =
    std::variant<ops::Embed, ops::Constant, ops::Linear, ops::Attention, ops::LayerNorm, ops::GatherRows,
                 ops::Pool, ops::Unfold, ops::PoolLinear, ops::Normalize, ops::TopK, ops::PickTargets,
                 ops::Dropout, ops::ActivationOp, ops::Slice, ops::CrossEntropy, ops::ChoiceCrossEntropy,
                 ops::SpanCrossEntropy, ops::BinaryCrossEntropy, ops::MeanSquaredError, ops::Distill,
                 ops::InBatchSoftmax, ops::CosineSimilarity, ops::Cosent, ops::Triplet, ops::Given>;

// Shows each field of an op, const or not, to a FieldVisitor.
template <typename AnyOp, typename Visitor>
void visit_fields(AnyOp& op, Visitor& visitor) {
    std::visit([&](auto& each) { std::decay_t<decltype(each)>::fields(each, visitor); }, op);
}

namespace detail {

template <typename Use>
struct TakeVisitor : FieldVisitor {
    explicit TakeVisitor(Use& each) : use(each) {}
    void takes(const char*, const int32_t& input, Need = Need::kRequired) {
        if (input != kNoIndex) use(input);
    }
    Use& use;
};

template <typename Use>
struct ReadVisitor : FieldVisitor {
    explicit ReadVisitor(Use& each) : use(each) {}
    void reads(const char*, const int32_t& value, Need = Need::kRequired) {
        if (value != kNoIndex) use(value);
    }
    Use& use;
};

template <typename Use>
struct WriteVisitor : FieldVisitor {
    explicit WriteVisitor(Use& each) : use(each) {}
    void writes(const char*, const int32_t& value, Need = Need::kRequired) {
        if (value != kNoIndex) use(value);
    }
    void rare_writes(const char* name, const int32_t& value) { writes(name, value); }
    Use& use;
};

template <typename Use>
struct WeightVisitor : FieldVisitor {
    explicit WeightVisitor(Use& each) : use(each) {}
    void weight(const char*, const int32_t& weight, WeightKind, Need = Need::kRequired) {
        if (weight != kNoIndex) use(weight);
    }
    Use& use;
};

template <template <typename> class Visitor, typename Use>
void visit_with(const Op& op, Use& use) {
    Visitor<Use> visitor(use);
    visit_fields(op, visitor);
}

}  // namespace detail

// The inputs of the batch that an op takes.
template <typename Use>
void for_each_taken(const Op& op, Use&& use) {
    detail::visit_with<detail::TakeVisitor>(op, use);
}
// The values that it reads.
template <typename Use>
void for_each_read(const Op& op, Use&& use) {
    detail::visit_with<detail::ReadVisitor>(op, use);
}
// The values that it writes: the output, and what else the caller may want.
template <typename Use>
void for_each_written(const Op& op, Use&& use) {
    detail::visit_with<detail::WriteVisitor>(op, use);
}
template <typename Use>
void for_each_weight(const Op& op, Use&& use) {
    detail::visit_with<detail::WeightVisitor>(op, use);
}
inline bool reads(const Op& op, int32_t value) {
    bool found = false;
    for_each_read(op, [&](int32_t each) { found = found || each == value; });
    return found;
}

inline const char* name_of(const Op& op) {
    return std::visit([](const auto& each) { return std::decay_t<decltype(each)>::kName; }, op);
}
inline bool is_row_wise(const Op& op) {
    return std::visit([](const auto& each) { return std::decay_t<decltype(each)>::kRowWise; }, op);
}
// Ops that only learning knows: require_kernels refuses them.
inline bool is_for_training(const Op& op) {
    return std::visit([](const auto& each) { return ops::is_for_training<std::decay_t<decltype(each)>>; },
                      op);
}
// The matrix of a product; kNoIndex for other ops.
inline int32_t matrix_of(const Op& op) {
    if (const auto* linear = std::get_if<ops::Linear>(&op)) return linear->matrix;
    const auto* pooled = std::get_if<ops::PoolLinear>(&op);
    return pooled != nullptr ? pooled->matrix : kNoIndex;
}
// The value that every op writes.
inline int32_t output_of(const Op& op) {
    return std::visit([](const auto& each) { return each.output; }, op);
}

}  // namespace bertha
