#include "engine/program.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "engine/check.h"

namespace bertha {
namespace {

constexpr int64_t kMaxWidth = int64_t{1} << 24;
constexpr size_t kMaxItems = 100000;

// Checks one op's indices and shapes; every message starts with the op's number and name.
class OpChecker {
public:
    OpChecker(const Program& program, size_t index)
        : program_(program), op_(program.ops[index]), index_(index) {}

    void require(bool condition, const char* what) const {
        BERTHA_CHECK(condition, "INVALID_PROGRAM", "op %zu (%s): expected %s", index_, op_name(op_.kind),
                     what);
    }

    const Value& value(int32_t id, const char* what, const std::vector<bool>& written,
                       bool must_exist) const {
        require(id >= 0 && static_cast<size_t>(id) < program_.values.size(), what);
        require(written[static_cast<size_t>(id)] == must_exist,
                must_exist ? "an input that an earlier op wrote" : "an output that no op wrote");
        return program_.values[static_cast<size_t>(id)];
    }

    void weight(int32_t id, WeightKind kind, int64_t rows, int64_t cols, const char* what) const {
        require(id >= 0 && static_cast<size_t>(id) < program_.weights.size(), what);
        const Weight& weight = program_.weights[static_cast<size_t>(id)];
        BERTHA_CHECK(
            weight.kind == kind && (rows < 0 || weight.rows == rows) && weight.cols == cols,
            "INVALID_PROGRAM", "op %zu (%s): expected %s of shape [%lld, %lld], got [%lld, %lld] (%s)",
            index_, op_name(op_.kind), what, static_cast<long long>(rows), static_cast<long long>(cols),
            static_cast<long long>(weight.rows), static_cast<long long>(weight.cols), weight.name.c_str());
    }

    void check(std::vector<bool>& written) const {
        const Value& in = op_.kind == OpKind::kEmbed ? program_.values[0]
                                                     : value(op_.input, "an input", written, true);
        const Value& out = value(op_.output, "an output", written, false);
        switch (op_.kind) {
            case OpKind::kEmbed:
                require(out.rows == Rows::kTokens, "one row per token");
                weight(op_.weight, WeightKind::kTable, program_.vocab_size, out.width, "a word table");
                if (op_.position_table != kNoIndex) {
                    require(op_.position_offset >= (program_.padding_id < 0 ? 0 : 1),
                            "a position offset of at least 0, of 1 with a padding id");
                    weight(op_.position_table, WeightKind::kTable, -1, out.width, "a position table");
                    require(program_.weights[static_cast<size_t>(op_.position_table)].rows >=
                                program_.max_seq_len + op_.position_offset,
                            "a position for every token of the longest sequence");
                }
                if (op_.type_table != kNoIndex)
                    weight(op_.type_table, WeightKind::kTable, program_.type_vocab_size, out.width,
                           "a token type table");
                break;
            case OpKind::kLinear:
                require(in.rows == out.rows && in.rows != Rows::kScores,
                        "input and output with the same rows");
                weight(op_.weight, WeightKind::kMatrix, out.width, in.width, "a matrix");
                if (op_.bias != kNoIndex) weight(op_.bias, WeightKind::kVector, 1, out.width, "a bias");
                if (op_.input_scale != kNoIndex)
                    weight(op_.input_scale, WeightKind::kVector, 1, in.width, "an input scale");
                if (op_.residual != kNoIndex) {
                    const Value& residual = value(op_.residual, "a residual", written, true);
                    require(residual.rows == out.rows && residual.width == out.width,
                            "a residual of the output's shape");
                }
                break;
            case OpKind::kAttention:
                require(in.rows == Rows::kTokens && out.rows == Rows::kTokens, "one row per token");
                require(op_.num_heads > 0 && out.width % op_.num_heads == 0 && in.width == 3 * out.width,
                        "qkv of three times the output's width, which num_heads divides");
                require(std::isfinite(op_.softmax_scale) && op_.softmax_scale > 0,
                        "a positive softmax scale");
                if (op_.relative_bias != kNoIndex) {
                    weight(op_.relative_bias, WeightKind::kTable, -1, op_.num_heads, "a relative bias table");
                    const int64_t buckets = program_.weights[static_cast<size_t>(op_.relative_bias)].rows;
                    require(buckets >= 4 && buckets % 2 == 0 && buckets <= 65536,
                            "an even number of relative buckets, at least 4");
                }
                if (op_.scores != kNoIndex) {
                    const Value& scores = value(op_.scores, "a scores value", written, false);
                    require(scores.rows == Rows::kScores && scores.width == op_.num_heads,
                            "scores of num_heads columns");
                    written[static_cast<size_t>(op_.scores)] = true;
                }
                break;
            case OpKind::kLayerNorm:
                require(in.rows == out.rows && in.rows != Rows::kScores && in.width == out.width,
                        "input and output of one shape");
                require(std::isfinite(op_.eps) && op_.eps >= 0, "a layer_norm_eps of at least 0");
                weight(op_.weight, WeightKind::kVector, 1, out.width, "a LayerNorm weight");
                weight(op_.bias, WeightKind::kVector, 1, out.width, "a LayerNorm bias");
                break;
            case OpKind::kGatherRows:
                require(in.rows == Rows::kTokens && in.width == out.width,
                        "token rows of the output's width");
                require(out.rows == (op_.first_token ? Rows::kSequences : Rows::kSelected),
                        "rows that fit first_token");
                break;
            case OpKind::kPool:
                require(in.rows == Rows::kTokens && out.rows == Rows::kSequences,
                        "token rows in, sequence rows out");
                require(!op_.modes.empty() && op_.modes.size() <= 6, "one to six pooling modes");
                require(out.width == in.width * static_cast<int64_t>(op_.modes.size()),
                        "the input's width for each pooling mode");
                break;
            case OpKind::kNormalize:
                require(in.rows == out.rows && in.rows != Rows::kScores && in.width == out.width,
                        "input and output of one shape");
                break;
            case OpKind::kTopK:
                require(in.rows == out.rows && in.rows != Rows::kScores,
                        "input and output with the same rows");
                require(op_.k > 0 && op_.k <= in.width && in.width <= (1 << 24) &&
                            out.width == 1 + 2 * int64_t{op_.k},
                        "0 < k <= columns");
                break;
            case OpKind::kPickTargets:
                require(in.rows == Rows::kSelected && out.rows == Rows::kSelected, "selected rows");
                require(in.width == program_.vocab_size && out.width == 1 + kTargetsPerRow,
                        "a column for each word in, the targets' columns out");
                break;
            default: require(false, "a known op");
        }
        written[static_cast<size_t>(op_.output)] = true;
    }

private:
    const Program& program_;
    const Op& op_;
    size_t index_;
};

}  // namespace

void validate(const Program& program) {
    BERTHA_CHECK(!program.values.empty() && !program.ops.empty(), "INVALID_PROGRAM",
                 "expected at least one value and one op");
    BERTHA_CHECK(program.values.size() <= kMaxItems && program.weights.size() <= kMaxItems &&
                     program.ops.size() <= kMaxItems,
                 "INVALID_PROGRAM", "expected at most %zu values, weights and ops", kMaxItems);
    BERTHA_CHECK(program.vocab_size > 0 && program.vocab_size <= INT32_MAX && program.max_seq_len > 0 &&
                     program.max_seq_len <= (1 << 20),
                 "INVALID_PROGRAM",
                 "expected a vocabulary and a longest sequence, got vocab_size %lld, max_seq_len %lld",
                 static_cast<long long>(program.vocab_size), static_cast<long long>(program.max_seq_len));
    for (const Value& value : program.values)
        BERTHA_CHECK(value.width > 0 && value.width <= kMaxWidth && value.rows >= Rows::kTokens &&
                         value.rows <= Rows::kScores,
                     "INVALID_PROGRAM", "expected values of 1 to %lld columns, got %lld",
                     static_cast<long long>(kMaxWidth), static_cast<long long>(value.width));
    for (const Weight& weight : program.weights)
        BERTHA_CHECK(weight.rows > 0 && weight.cols > 0 && weight.cols <= kMaxWidth &&
                         weight.rows <= (int64_t{1} << 40) / weight.cols,
                     "INVALID_PROGRAM", "weight %s: shape [%lld, %lld] is out of range", weight.name.c_str(),
                     static_cast<long long>(weight.rows), static_cast<long long>(weight.cols));
    std::vector<bool> written(program.values.size(), false);
    for (size_t i = 0; i < program.ops.size(); i++) OpChecker(program, i).check(written);
}

std::vector<bool> needed_ops(const Program& program, const std::vector<int32_t>& wanted) {
    std::vector<bool> value_needed(program.values.size(), false);
    for (int32_t id : wanted) value_needed[static_cast<size_t>(id)] = true;
    std::vector<bool> needed(program.ops.size(), false);
    for (size_t i = program.ops.size(); i-- > 0;) {
        const Op& op = program.ops[i];
        const bool used = value_needed[static_cast<size_t>(op.output)] ||
                          (op.scores != kNoIndex && value_needed[static_cast<size_t>(op.scores)]);
        if (!used) continue;
        needed[i] = true;
        if (op.input != kNoIndex) value_needed[static_cast<size_t>(op.input)] = true;
        if (op.residual != kNoIndex) value_needed[static_cast<size_t>(op.residual)] = true;
    }
    return needed;
}

int32_t relative_bucket(int32_t distance, int32_t num_buckets) {
    constexpr double kMaxDistance = 128.0;
    const int32_t half = num_buckets / 2;
    const int32_t side = distance > 0 ? half : 0;
    const int32_t n = std::abs(distance);
    const int32_t exact = half / 2;
    if (n < exact) return side + n;
    const double scaled = std::log(static_cast<double>(n) / exact) / std::log(kMaxDistance / exact) *
                          (half - exact);
    return side + std::min(half - 1, exact + static_cast<int32_t>(scaled));
}

const char* op_name(OpKind kind) {
    switch (kind) {
        case OpKind::kEmbed: return "embed";
        case OpKind::kLinear: return "linear";
        case OpKind::kAttention: return "attention";
        case OpKind::kLayerNorm: return "layer_norm";
        case OpKind::kGatherRows: return "gather_rows";
        case OpKind::kPool: return "pool";
        case OpKind::kNormalize: return "normalize";
        case OpKind::kTopK: return "top_k";
        case OpKind::kPickTargets: return "pick_targets";
    }
    return "unknown";
}

bool is_row_wise(OpKind kind) {
    return kind == OpKind::kEmbed || kind == OpKind::kLinear || kind == OpKind::kLayerNorm ||
           kind == OpKind::kNormalize || kind == OpKind::kTopK || kind == OpKind::kPickTargets;
}

}  // namespace bertha
